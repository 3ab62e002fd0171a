// Measures one client in a process of its own: `peer URLSession` or `peer PabblyConnect`. What to do is in the
// environment; see ../../README.md.

import Foundation

let residentAtStart = try resident()
let job = try Job()
// A URLSession that is let go right after its last answer can crash the process, so the peer stays until the end.
var kept: (any Peer)?
switch CommandLine.arguments.dropFirst().first {
case "URLSession": try await measure(SessionPeer.self, "URLSession")
case "PabblyConnect": try await measure(ConnectPeer.self, "PabblyConnect")
case let other: throw Failure("there is no peer \(other ?? "")")
}

/// Each line of standard input asks for so many calls, and is answered by what they cost.
@MainActor func measure<P: Peer>(_ type: P.Type, _ name: String) async throws {
    while let line = readLine() {
        guard let calls = Int(line), calls > 0 else { throw Failure("\(line) is no number of calls") }
        switch job.work {
        case "construct":
            for _ in 0..<calls / 10 { try P(job).close() }
            let start = Used.now()
            for _ in 0..<calls { try P(job).close() }
            try tell(name, calls, Used.now() - start)
        case "first":
            let start = Used.now()
            let peer = try P(job)
            kept = peer
            try await peer.token()
            try tell(name, 1, Used.now() - start)
        case "token", "list":
            let peer = try kept ?? P(job)
            kept = peer
            // Each caller has its connection before the clock runs.
            try await run(peer, calls: max(calls / 10, job.inFlight))
            let start = Used.now()
            try await run(peer, calls: calls)
            try tell(name, calls, Used.now() - start)
        default:
            throw Failure("there is no work \(job.work)")
        }
    }
}

func tell(_ name: String, _ calls: Int, _ used: Used) throws {
    let versions = try JSONDecoder().decode([String: String].self, from: job.versions)
    let result = Result(
        peer: name, version: versions[name] ?? "", calls: calls, cpu_us: used.cpu, wall_us: used.wall,
        rss_kib: try resident(), rss_start_kib: residentAtStart)
    print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
    fflush(nil)
}

/// Makes so many calls in all, each caller its next one as soon as its last is done.
func run(_ peer: some Peer, calls: Int) async throws {
    let (list, inFlight) = (job.work == "list", job.inFlight)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for caller in 0..<inFlight {
            let own = calls / inFlight + (caller < calls % inFlight ? 1 : 0)
            group.addTask {
                for _ in 0..<own {
                    if list { try await peer.list() } else { try await peer.token() }
                }
            }
        }
        try await group.waitForAll()
    }
}
