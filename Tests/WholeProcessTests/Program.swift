import TestSupport
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

/// Asks again and again until the answer is there; the bound is for a machine that is busy with other things.
func eventually<T>(_ what: String, within seconds: Double = 60, _ ask: () throws -> T?) throws -> T {
    let end = ContinuousClock.now + .seconds(seconds)
    while true {
        if let answer = try ask() { return answer }
        try #require(ContinuousClock.now < end, "waited in vain: \(what)")
        usleep(20_000)
    }
}
