#if os(macOS) || os(Linux)
    public import Foundation
    public import PabblyConnect

    /// Far longer than it takes, also on a busy machine.
    private let startTimeout: TimeInterval = 30
    /// After this, it is asked again, by a signal.
    private let stopTimeout: TimeInterval = 10
    /// How much of what it says about itself is kept, in bytes.
    private let maxErrors = 16 * 1024

    /// A running `connect-service dev`: the platform with a provider that plays every OAuth app. It ends with ``stop()``,
    /// once nothing refers to it, and with this process.
    ///
    /// ```swift
    /// let emulator = try await Emulator.start()
    /// let pc = try PabblyConnectPlatform(apiKey: emulator.tenantKey, baseURL: emulator.baseURL)
    /// ```
    public final class Emulator: Sendable {
        /// The tenant's key: a client's `apiKey`.
        public let tenantKey: String
        /// Where the service is: a client's `baseURL`.
        public let baseURL: String
        /// The environment variables by which programs find it: `PC_TENANT_KEY`, `PC_BASE_URL` and `PC_DEV_URL`. Whoever has
        /// the last one controls it.
        public let environment: [String: String]
        private let program: URL
        private let child: Child

        /// Starts `connect-service dev` and waits until it is ready, which takes about a second.
        ///
        /// - Parameters:
        ///   - binary: The program. Default: `PC_DEV_BIN` of the environment, else `connect-service` on the `PATH`.
        ///   - arguments: Further options of `connect-service dev`, such as `--seed`.
        /// - Throws: ``EmulatorError`` where the program is not found or does not start.
        public static func start(binary: String? = nil, arguments: [String] = []) async throws -> Emulator {
            let named = ProcessInfo.processInfo.environment["PC_DEV_BIN"].flatMap { $0.isEmpty ? nil : $0 }
            let program = binary ?? named ?? "connect-service"
            return try await blocking { try Emulator(program, arguments) }
        }

        private init(_ program: String, _ arguments: [String]) throws {
            guard let found = find(program) else {
                let how = "build it with `cargo build -p connect-service`, and set PC_DEV_BIN to its path"
                throw EmulatorError(message: "there is no program \(program): \(how)")
            }
            do {
                // It ends when its standard input is closed, as it is with this process.
                child = try Child(found, ["dev", "--watch-stdin"] + arguments)
            } catch {
                throw EmulatorError(message: "\(program) could not be started: \(error)")
            }
            let isReady = { (text: String) in lines(text).contains { $0.hasPrefix("# Ready") } }
            let printed = child.output.text(before: Date(timeIntervalSinceNow: startTimeout), unless: isReady)
            guard let printed, isReady(printed) else {
                child.process.terminate()
                child.process.waitUntilExit()
                let ended = "ended with \(child.process.terminationStatus)"
                let late = "is not ready after \(Int(startTimeout)) s"
                let message = "\(program) \(printed == nil ? late : ended)"
                throw EmulatorError(message: message, standardError: child.errors.text() ?? "")
            }
            var exports: [String: String] = [:]
            for line in lines(printed) where line.hasPrefix("export ") {
                let pair = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
                if pair.count == 2 { exports[String(pair[0])] = String(pair[1]) }
            }
            self.program = found
            environment = exports
            tenantKey = exports["PC_TENANT_KEY"] ?? ""
            baseURL = exports["PC_BASE_URL"] ?? ""
        }

        deinit {
            child.close()
        }

        /// Steers it as `connect-service dev ctl` does, and gives the result: `ctl("expire", connection.id)`.
        ///
        /// - Throws: ``EmulatorError`` where the command was refused.
        @discardableResult
        public func ctl(_ arguments: String...) async throws -> JSONValue {
            // Without the other arguments, among which a link's secret may be.
            let failed = "connect-service dev ctl \(arguments.first ?? "") failed"
            return try await blocking { [program, environment] in
                let child = try Child(program, ["dev", "ctl"] + arguments, environment)
                child.close()
                let output = child.output.text() ?? ""
                let errors = child.errors.text() ?? ""
                child.process.waitUntilExit()
                guard child.process.terminationStatus == 0,
                    let result = try? JSONDecoder().decode(JSONValue.self, from: Data(output.utf8))
                else { throw EmulatorError(message: failed, standardError: errors) }
                return result
            }
        }

        /// Ends it, and waits until it has ended. Everything that it stored is deleted.
        public func stop() async {
            try? await blocking { [child] in child.stop() }
        }
    }

    extension Emulator: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
        /// Shows where it is, and no key.
        public var description: String { "Emulator(\(baseURL))" }
        /// The same as ``description``.
        public var debugDescription: String { description }
        /// Has no children.
        public var customMirror: Mirror { Mirror(self, children: []) }
    }

    /// The emulator did not start, or did not carry a command out.
    public struct EmulatorError: Error, Hashable, CustomStringConvertible, LocalizedError {
        /// What was not done.
        public let message: String
        /// What the program said about it.
        public let standardError: String

        init(message: String, standardError: String = "") {
            self.message = message
            self.standardError = standardError
        }

        /// Both.
        public var description: String {
            let said = standardError.trimmingCharacters(in: .whitespacesAndNewlines)
            return said.isEmpty ? message : "\(message):\n\(said)"
        }
        /// The same as ``description``.
        public var errorDescription: String? { description }
    }

    /// A process.
    private final class Child: @unchecked Sendable {
        let process = Process()
        let output: Output
        let errors: Output
        private let input = Pipe()

        init(_ program: URL, _ arguments: [String], _ environment: [String: String] = [:]) throws {
            let (stdout, stderr) = (Pipe(), Pipe())
            process.executableURL = program
            process.arguments = arguments
            process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
            process.standardInput = input
            process.standardOutput = stdout
            process.standardError = stderr
            try process.run()
            output = Output(stdout.fileHandleForReading)
            errors = Output(stderr.fileHandleForReading, keeping: maxErrors)
        }

        /// Closes its standard input.
        func close() {
            try? input.fileHandleForWriting.close()
        }

        func stop() {
            close()
            let deadline = Date(timeIntervalSinceNow: stopTimeout)
            while process.isRunning && Date() < deadline {
                Thread.sleep(forTimeInterval: 0.005)
            }
            if process.isRunning { process.terminate() }
            process.waitUntilExit()
        }
    }

    /// What a process writes, read to its end by a thread: a full pipe would stop it.
    private final class Output: @unchecked Sendable {
        private let condition = NSCondition()
        private var data = Data()
        private var isOver = false

        init(_ handle: FileHandle, keeping limit: Int = .max) {
            Thread.detachNewThread { [self] in
                while true {
                    let read = handle.availableData
                    condition.withLock {
                        data.append(read)
                        data.removeFirst(max(0, data.count - limit))
                        isOver = read.isEmpty
                        condition.broadcast()
                    }
                    if read.isEmpty { return }
                }
            }
        }

        /// Waits for the end of it, or until it is enough; `nil` where neither comes in time.
        func text(before deadline: Date? = nil, unless isEnough: (String) -> Bool = { _ in false }) -> String? {
            condition.withLock {
                while true {
                    let text = String(decoding: data, as: UTF8.self)
                    if isOver || isEnough(text) { return text }
                    guard let deadline else {
                        condition.wait()
                        continue
                    }
                    if !condition.wait(until: deadline) { return nil }
                }
            }
        }
    }

    private func lines(_ text: String) -> [Substring] {
        text.split(separator: "\n")
    }

    /// The program with this path, or with this name on the `PATH`.
    private func find(_ program: String) -> URL? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let places = program.contains("/") ? [program] : path.split(separator: ":").map { "\($0)/\(program)" }
        let found = places.first { FileManager.default.isExecutableFile(atPath: $0) }
        return found.map { URL(fileURLWithPath: $0) }
    }

    /// Waits on a thread of its own, so that tasks go on meanwhile.
    private func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try work() }) }
        }
    }
#endif
