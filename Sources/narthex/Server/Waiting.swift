import Dispatch
import Synchronization

/// Asks something asynchronous from a thread that may wait: never from the tasks' own threads.
func waiting<Result: Sendable>(_ question: @escaping @Sendable () async -> Result) -> Result {
    let answer = PendingAnswer<Result>()
    Task { answer.give(await question()) }
    return answer.take()
}

/// A value that one thread waits for and another gives.
private final class PendingAnswer<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    func give(_ value: Value) {
        self.value.withLock { $0 = value }
        isThere.signal()
    }

    func take() -> Value {
        while true {
            isThere.wait()
            if let value = value.withLock({ $0 }) { return value }
        }
    }
}
