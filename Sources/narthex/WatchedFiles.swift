import Gateway
import NIOPosix
import Web

/// The gateway's own files, read again while it runs.
struct WatchedFiles {
    let policies: PolicyBook?
    let access: AccessGuard?
    let store: GatewayStore
    let workers: NIOThreadPool

    /// Looks after the files once a second, until the task is cancelled.
    func run() async {
        if policies == nil && access == nil { return }
        while (try? await Task.sleep(for: .seconds(1), clock: .continuous)) != nil {
            await withCheckedContinuation { continuation in
                workers.submit { state in
                    if state == .active { refresh() }
                    continuation.resume()
                }
            }
        }
    }

    private func refresh() {
        access?.refresh()
        if let policies, policies.refresh() { policies.assignQuotas(in: store) }
    }
}
