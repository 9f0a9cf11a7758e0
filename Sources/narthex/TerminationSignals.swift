import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// SIGTERM and SIGINT: the first asks for an orderly end, the second ends the process at once.
final class TerminationSignals: Sendable {
    private let sources: Mutex<[any DispatchSourceSignal]>

    /// Done once a process: Dispatch puts its own handler in the place of what is set here, and must keep it where a
    /// second part of the process listens too.
    private static let defaultsOff: Void = {
        for number in [SIGTERM, SIGINT] { signal(number, SIG_IGN) }
    }()

    /// Begins to listen.
    /// - Parameter onFirst: Called once.
    init(_ onFirst: @escaping @Sendable () -> Void) {
        let counter = SignalCounter()
        var sources: [any DispatchSourceSignal] = []
        _ = Self.defaultsOff
        for number in [SIGTERM, SIGINT] {
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if counter.next() == 1 { onFirst() } else { _exit(1) }
            }
            source.resume()
            sources.append(source)
        }
        self.sources = Mutex(sources)
    }
}

private final class SignalCounter: Sendable {
    private let count = Atomic<Int>(0)

    func next() -> Int { count.wrappingAdd(1, ordering: .relaxed).newValue }
}
