import Glibc
import Testing

/// Runs programs of the machine, for tests against the real Prometheus.
enum RealProgram {
    static let promtool = "/usr/bin/promtool"
    static let prometheus = "/usr/bin/prometheus"

    static func isInstalled(_ path: String) -> Bool { access(path, X_OK) == 0 }

    struct Failure: Error {
        var command: [String]
        var status: Int32
        var output: String
    }

    /// Runs a program to its end.
    /// - Returns: what it printed.
    static func run(_ command: [String]) throws -> String {
        let output = try #require(TemporaryDirectory.make()) + "/output"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, output + ".errors", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var pid: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        guard posix_spawn(&pid, command[0], &actions, nil, arguments, environ) == 0 else {
            throw Failure(command: command, status: -1, output: "cannot start")
        }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        let text = TemporaryDirectory.text(output)
        guard status == 0 else {
            throw Failure(
                command: command, status: status, output: text + TemporaryDirectory.text(output + ".errors"))
        }
        return text
    }
}

/// Directories for one test each; left to the system's clean-up of /tmp.
enum TemporaryDirectory {
    static func make() -> String? {
        var template = Array("/tmp/narthex-test-XXXXXX".utf8CString)
        return template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, mkdtemp(base) != nil else { return nil }
            return String(cString: base)
        }
    }

    static func text(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
