import TestSupport
import Testing

@Suite struct ManualClockTests {
    @Test func `a sleeper wakes when the clock was moved far enough`() async throws {
        let clock = ManualClock(epochMilliseconds: 1000)
        let task = Task { try await clock.sleep(for: .seconds(5)) }
        while clock.sleeperCount == 0 { await Task.yield() }
        clock.advance(by: .seconds(4))
        #expect(clock.sleeperCount == 1)
        clock.advance(by: .seconds(1))
        try await task.value
        #expect(clock.milliseconds == 6000)
    }

    @Test func `a cancelled sleeper does not wait`() async throws {
        let clock = ManualClock()
        let task = Task { try await clock.sleep(for: .seconds(5)) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.sleeperCount == 0)
    }
}
