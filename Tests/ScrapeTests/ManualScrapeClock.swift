import Scrape
import TestSupport

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
        while clock.sleeperCount < sleepers { await Task.yield() }
        clock.advance(by: duration)
    }
}
