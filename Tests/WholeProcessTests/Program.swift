import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Where the parts of a whole-process test come from.
enum Installed {
    /// The program that this package builds: beside the test bundle, or where `NARTHEX_BINARY` says.
    static let narthex: String? = {
        if let path = getenv("NARTHEX_BINARY") { return String(cString: path) }
        guard let bundle = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(bundle) }
        let path = String(cString: bundle)
        guard let slash = path.lastIndex(of: "/") else { return nil }
        return executable(String(path[..<slash]) + "/narthex")
    }()

    /// A Python that has the official Prometheus client: the one of `make peers`, or the system's.
    static let python: String? = {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin"
        let candidates: [String] = path.split(separator: ":").map { String($0) + "/python3" }
        for candidate in [packageFolder + "/.build/peers/bin/python"] + candidates {
            guard executable(candidate) != nil else { continue }
            guard let process = try? ChildProcess([candidate, "-c", "import prometheus_client"]) else { continue }
            if process.wait() == 0 { return candidate }
        }
        return nil
    }()

    static let prometheus = executable("/usr/bin/prometheus")
    static let openssl = executable("/usr/bin/openssl")

    /// The root of the package.
    static let packageFolder: String = {
        var parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
        parts.removeLast(3)
        return parts.joined(separator: "/")
    }()

    static func executable(_ path: String) -> String? { access(path, X_OK) == 0 ? path : nil }
}

/// A folder that is removed with everything in it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((base + "/narthex-test-XXXXXX").utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { _ = try? ChildProcess(["/bin/rm", "-rf", path]).wait() }

    /// Writes a file and gives its path.
    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let file = try #require(fopen(path + "/" + name, "we"))
        defer { fclose(file) }
        fputs(text, file)
        return path + "/" + name
    }

    /// What a file holds; empty if it is not there.
    func read(_ name: String) -> String { Self.read(path + "/" + name) }

    static func read(_ path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }
}

/// A process that this test started. It does not outlive the test.
final class ChildProcess {
    let id: pid_t
    private var exitStatus: Int32?

    /// Starts `command`, found by its path; output goes to the file `output`, or nowhere.
    init(_ command: [String], output: String? = nil) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var id: pid_t = 0
        let result = posix_spawn(&id, command[0], &actions, nil, arguments, environ)
        try #require(result == 0, "cannot start \(command[0]): \(String(cString: strerror(result)))")
        self.id = id
    }

    deinit {
        if exitStatus == nil {
            kill(id, SIGKILL)
            wait()
        }
    }

    func signal(_ number: Int32) { if exitStatus == nil { kill(id, number) } }

    /// Waits for the end and gives the exit code, or 128 and the signal.
    @discardableResult
    func wait() -> Int32 {
        if let exitStatus { return exitStatus }
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        exitStatus = code
        return code
    }

    /// Whether it runs, or how it ended, and the end of what it wrote to the file `log`: for a failure's text.
    func account(log: String) -> String {
        // A process that is just ending has closed its connections before it can be waited for.
        usleep(200_000)
        let state = isRunning ? "the process runs" : "the process ended with \(exitStatus ?? -1)"
        return "\(state), its log ends: \(TemporaryFolder.read(log).suffix(4000))"
    }

    /// Whether the process is still there.
    var isRunning: Bool {
        if exitStatus != nil { return false }
        var status: Int32 = 0
        guard waitpid(id, &status, WNOHANG) == id else { return true }
        exitStatus = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        return false
    }
}

/// Asks again and again until the answer is there; the bound is for a machine that is busy with other things.
func eventually<T>(_ what: String, within seconds: Double = 60, _ ask: () throws -> T?) throws -> T {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
        if let answer = try ask() { return answer }
        try #require(ContinuousClock.now < end, "waited in vain: \(what)")
        usleep(20_000)
    }
}
