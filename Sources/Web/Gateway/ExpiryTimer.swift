package import Gateway
package import NIOPosix

/// Removes groups whose lifetime has ended, within a fraction of a second.
package struct ExpiryTimer: Sendable {
    private static let interval = Duration.milliseconds(200)

    private let store: GatewayStore
    private let workers: NIOThreadPool

    /// A timer for the groups of `store`.
    /// - Parameter workers: Where the work is done: many groups that end at once take seconds.
    package init(store: GatewayStore, workers: NIOThreadPool) {
        self.store = store
        self.workers = workers
    }

    /// Runs until the task is cancelled.
    package func run() async {
        // The sleep is measured on a clock that nobody sets.
        while (try? await Task.sleep(for: Self.interval, clock: .continuous)) != nil {
            await withCheckedContinuation { continuation in
                workers.submit { [store] state in
                    if state == .active { store.expire(at: WallClock.nanoseconds()) }
                    continuation.resume()
                }
            }
        }
    }
}
