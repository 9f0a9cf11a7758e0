internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#endif

/// A port of 127.0.0.1 for a program that cannot be told to choose one itself.
package enum FreePort {
    /// None was free.
    package struct Exhausted: Error {}

    /// Where the search goes on: each process begins elsewhere, and gives no port twice.
    private static let next = Mutex(Int(getpid()) &* 97)

    /// A port that nothing listens on, below those that Linux gives out by itself: what other tests open meanwhile
    /// cannot take it before the program does.
    package static func find() throws -> Int {
        for _ in 0..<20_000 {
            let port = next.withLock { next in
                next &+= 1
                return 10_000 + next % 20_000
            }
            if isFree(port) { return port }
        }
        throw Exhausted()
    }

    private static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return LoopbackAddress(port: port).bind(descriptor) == 0
    }
}
