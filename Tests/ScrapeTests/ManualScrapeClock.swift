import Scrape
import TestSupport
import Testing

/// Waits for what other threads bring about; a test that waits in vain fails instead of hanging.
func eventually(_ what: String, _ condition: () -> Bool) async {
    for _ in 0..<10_000 {
        if condition() { return }
        do {
            try await Task.sleep(for: .milliseconds(1))
        } catch {
            return
        }
    }
    Issue.record("waited in vain for \(what)")
}

/// Scrapes by a clock that a test moves.
struct ManualScrapeClock: ScrapeClock {
    let clock = ManualClock()

    var now: Int64 {
        let parts = clock.now.offset.components
        return 1_700_000_000_000_000_000 + parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }

    func sleep(nanoseconds: Int64) async throws { try await clock.sleep(for: .nanoseconds(nanoseconds)) }

    /// Moves on to the next moment someone waits for, once `sleepers` wait.
    func advance(_ duration: Duration, whenWaiting sleepers: Int = 1) async {
        await eventually("\(sleepers) sleepers") { clock.sleeperCount >= sleepers }
        clock.advance(by: duration)
    }
}
