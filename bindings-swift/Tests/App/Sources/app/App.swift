// app run|resume|form: reads a link, as JSON, from its first line of input, and prints how it ended. With `form` it shows
// what a form of its own asks for, and submits what the next lines say, the fields of the first option as JSON.

import Foundation
import PabblyConnectFlow

/// Prints the page's address for whoever plays the customer, and takes a line of input for the customer's return.
struct Terminal: ConnectUserAgent {
    let lines: AsyncStream<String>

    func show(_ page: URL) async throws -> URL? {
        say("page \(page.absoluteString)")
        for await line in lines { return URL(string: line) }
        say("dismissed")
        return nil
    }
}

struct NotConfirmed: Error {}

@main
struct App {
    static func main() async throws {
        let link = try JSONDecoder().decode(ConnectLink.self, from: Data((readLine() ?? "").utf8))
        let outcome: ConnectOutcome
        do {
            if CommandLine.arguments.last == "form" { return try await form(link) }
            if CommandLine.arguments.last == "resume" {
                outcome = try await ConnectSession.resume(link)
            } else {
                let lines = input()
                outcome = try await ConnectSession(link, userAgent: Terminal(lines: lines)).run { code in
                    say("code \(code)")
                    // A backend would answer; here it is the next line.
                    for await line in lines {
                        guard line == "confirmed" else { throw NotConfirmed() }
                        return
                    }
                }
            }
        } catch let error as ConnectError {
            return say("error \(error)")
        } catch is NotConfirmed {
            return say("not confirmed")
        }
        switch outcome {
        case .success(let connectionID, let operation): say("success \(connectionID) \(operation)")
        case .exit(let reason): say("exit \(reason)")
        }
    }

    static func form(_ link: ConnectLink) async throws {
        let options = try await link.authOptions()
        for option in options {
            let fields = option.fields.map { "\($0.id)\($0.isRequired ? "!" : "")\($0.isSecret ? "*" : "")" }
            say("option \(option.key) \(option.authType) \(fields.joined(separator: ","))")
        }
        while let line = readLine() {
            let fields = try JSONDecoder().decode([String: String].self, from: Data(line.utf8))
            do {
                say("\(try await link.submit(options[0], fields: fields))")
                return
            } catch ConnectError.invalidFields(let fields) {
                say("invalid \(fields.keys.sorted().joined(separator: ","))")
            }
        }
    }

    /// The rest of the input, read where it may block.
    static func input() -> AsyncStream<String> {
        let (lines, line) = AsyncStream<String>.makeStream()
        Thread { while let text = readLine() { line.yield(text) } }.start()
        return lines
    }
}

/// Unlike `print`, at once.
func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}
