import Foundation

/// A client under measurement, and the work that it can do. An answer that is not as expected is an error.
protocol Peer: Sendable {
    init(_ job: Job) throws
    func token() async throws
    func list() async throws
    func close()
}

/// What the environment asks for.
struct Job: Sendable {
    let baseURL: String
    let key: String
    let authority: String
    let work: String
    let inFlight: Int
    let versions: Data
    let email = "alice@example.com"
    let connection = "conn_0123456789"

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        func variable(_ name: String) throws -> String {
            guard let value = environment[name] else { throw Failure("\(name) is not set") }
            return value
        }
        baseURL = try variable("BENCH_BASE_URL")
        key = try variable("PC_TENANT_KEY")
        authority = try String(contentsOfFile: variable("BENCH_CA"), encoding: .utf8)
        work = try variable("BENCH_WORK")
        guard let callers = Int(try variable("BENCH_IN_FLIGHT")), callers > 0 else {
            throw Failure("BENCH_IN_FLIGHT is no number of callers")
        }
        inFlight = callers
        versions = try Data(contentsOf: URL(fileURLWithPath: variable("BENCH_VERSIONS")))
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func check(_ asExpected: Bool) throws {
    guard asExpected else { throw Failure("not the expected answer") }
}

/// The line that the driver reads.
struct Result: Encodable {
    let peer, version: String
    let calls: Int
    let cpu_us, wall_us: Double
    let rss_kib, rss_start_kib: Int
}

/// Time in microseconds: of all threads of this process, and on the wall.
struct Used {
    let cpu, wall: Double

    static func now() -> Used {
        func microseconds(_ clock: clockid_t) -> Double {
            var time = timespec()
            clock_gettime(clock, &time)
            return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
        }
        return Used(cpu: microseconds(CLOCK_PROCESS_CPUTIME_ID), wall: microseconds(CLOCK_MONOTONIC))
    }

    static func - (end: Used, start: Used) -> Used {
        Used(cpu: end.cpu - start.cpu, wall: end.wall - start.wall)
    }
}

/// KiB of this process that are in memory.
func resident() throws -> Int {
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    guard let words = line?.split(whereSeparator: \.isWhitespace), words.count > 1, let kib = Int(words[1]) else {
        throw Failure("/proc does not tell the memory in use")
    }
    return kib
}
