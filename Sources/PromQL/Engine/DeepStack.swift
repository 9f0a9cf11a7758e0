#if canImport(Glibc)
internal import Glibc
#endif

/// Runs deeply nested queries on a thread with a stack large enough for them; callers' threads may have small ones.
enum DeepStack {
    /// Plans up to this depth run on the caller's thread.
    private static let shallow = 48

    /// Runs `body`, whose recursion goes `depth` levels down.
    static func run<Result>(depth: Int, _ body: () throws -> Result) throws -> Result {
        if depth <= shallow { return try body() }
        var outcome: Swift.Result<Result, any Error>?
        try withoutActuallyEscaping(body) { body in
            let work = Work { outcome = Swift.Result(catching: body) }
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            pthread_attr_setstacksize(&attributes, 256 << 20)
            var thread = pthread_t()
            let argument = Unmanaged.passRetained(work).toOpaque()
            // SAFETY: the thread is joined before this function returns, so that `body` and `outcome` outlive it.
            let status = pthread_create(
                &thread, &attributes,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
                    return nil
                }, argument)
            pthread_attr_destroy(&attributes)
            guard status == 0 else {
                Unmanaged<Work>.fromOpaque(argument).release()
                throw QueryError.execution("no memory for a query nested so deeply")
            }
            pthread_join(thread, nil)
        }
        guard let outcome else { throw QueryError.execution("evaluation was interrupted") }
        return try outcome.get()
    }

    private final class Work {
        let run: () -> Void

        init(_ run: @escaping () -> Void) { self.run = run }
    }
}
