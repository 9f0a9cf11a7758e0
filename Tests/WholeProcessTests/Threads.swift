import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Threads of a test: blocking clients must not hold up Swift's own.
final class Threads: Sendable {
    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    private let handles: Mutex<[pthread_t]>

    /// Starts `count` threads that each run `body` with their number.
    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
        var handles: [pthread_t] = []
        for number in 0..<count {
            var thread = pthread_t()
            let argument = Unmanaged.passRetained(Body { body(number) }).toOpaque()
            let code = pthread_create(
                &thread, nil,
                { argument in
                    if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                    return nil
                }, argument)
            try #require(code == 0)
            handles.append(thread)
        }
        self.handles = Mutex(handles)
    }

    /// Waits until all have ended.
    func join() {
        for thread in handles.withLock({ handles in
            defer { handles = [] }
            return handles
        }) { pthread_join(thread, nil) }
    }

    /// Runs `body` on `count` threads and waits for them.
    static func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
        try Threads(count, body).join()
    }
}
