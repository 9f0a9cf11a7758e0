import Bridge
import MetricModel
import TestSupport
import Testing

/// Random pushes and deletions at any speed, beside a history of what was there when.
@Suite struct BridgeModelTests {
    /// What a series held from a time on; nil for nothing.
    private struct Change {
        var time: Timestamp
        var value: Int?
    }

    private struct History {
        var changes: [String: [Change]] = [:]

        mutating func set(_ series: String, _ value: Int?, at time: Timestamp) {
            guard value != nil || changes[series] != nil else { return }
            changes[series, default: []].append(Change(time: time, value: value))
        }

        func latest(_ series: String) -> Int? { changes[series]?.last?.value }

        /// What the series may have held at some time from `first` to `last`.
        func values(_ series: String, from first: Timestamp, to last: Timestamp) -> [Int?] {
            guard let all = changes[series] else { return [] }
            let before = all.last { $0.time < first }
            return [before?.value] + all.filter { $0.time >= first && $0.time <= last }.map(\.value)
        }
    }

    private static let jobs = ["a", "b"]
    private static let names = ["x", "y", "z"]

    private func series(_ name: String, _ job: String) -> String { "{__name__=\"\(name)\", job=\"\(job)\"}" }

    /// One random change, on both sides.
    private func change(
        _ driver: BridgeDriver, _ history: inout History, _ random: inout SeededGenerator, value: Int, start: Timestamp
    ) throws {
        let job = Self.jobs.randomElement(using: &random) ?? "a"
        let time = driver.now - start
        if Int.random(in: 0..<12, using: &random) == 0 {
            driver.delete(["job": job])
            for name in Self.names { history.set(series(name, job), nil, at: time) }
            return
        }
        let names = Self.names.filter { _ in Bool.random(using: &random) }
        let replaces = Int.random(in: 0..<4, using: &random) == 0
        guard !names.isEmpty else { return }
        try driver.push(
            names.map { "\($0) \(value)\n" }.joined(), to: ["job": job],
            mode: replaces ? .replaceGroup : .replaceFamilies
        )
        for name in Self.names {
            if names.contains(name) {
                history.set(series(name, job), value, at: time)
            } else if replaces {
                history.set(series(name, job), nil, at: time)
            }
        }
    }

    private func samples(_ driver: BridgeDriver) throws -> [String: [(time: Timestamp, value: Int?)]] {
        try driver.samples("[xyz]").mapValues { text in
            text.split(separator: " ").map { sample in
                let parts = sample.split(separator: "=")
                return (Timestamp(parts[0]) ?? -1, Double(parts[1]).map { Int($0) })
            }
        }
    }

    @Test(arguments: UInt64(1)...6)
    func `what is stored was there at most a few milliseconds before, and ends as the gateway does`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        let driver = try BridgeDriver()
        var history = History()
        let start = driver.now
        var flushes: Timestamp = 0
        for value in 1...600 {
            try change(driver, &history, &random, value: value, start: start)
            if Int.random(in: 0..<5, using: &random) == 0 {
                driver.bridge.flush()
                flushes += 1
            }
            let step = Int.random(in: 0..<10, using: &random)
            driver.now += step < 7 ? 0 : Timestamp(step - 6)
            if Int.random(in: 0..<50, using: &random) == 0 {
                driver.bridge.refresh()
                flushes += 1
            }
        }
        let stored = try samples(driver)
        // A flush or a deletion takes the next millisecond, whether or not it is free; a refresh does as well.
        let lead = PushBridge.maximumLead + flushes + 60
        for (name, samples) in stored {
            for sample in samples {
                let possible = history.values(name, from: sample.time - lead, to: sample.time)
                #expect(possible.contains(sample.value), "\(name) at \(sample.time)")
            }
            #expect(samples.last?.value == history.latest(name), "\(name) at last")
            #expect(zip(samples, samples.dropFirst()).allSatisfy { $0.time < $1.time })
        }
        for name in history.changes.keys where history.latest(name) != nil { #expect(stored[name] != nil) }
    }

    @Test(arguments: UInt64(1)...4) func `each of pushes that are milliseconds apart is kept, and so is each end`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        let driver = try BridgeDriver()
        var history = History()
        let start = driver.now
        for value in 1...400 {
            try change(driver, &history, &random, value: value, start: start)
            // A group that comes again leaves a millisecond for the zeros of its counters.
            driver.now += Timestamp.random(in: 2...4, using: &random)
            if Int.random(in: 0..<4, using: &random) == 0 { driver.bridge.flush() }
        }
        let stored = try samples(driver)
        for (name, changes) in history.changes {
            // An end that was one already is not told again.
            var expected: [Change] = []
            for change in changes where change.value != nil || expected.last?.value != nil { expected.append(change) }
            let texts = expected.map { "\($0.time)=\($0.value ?? -1)" }
            #expect(stored[name]?.map { "\($0.time)=\($0.value ?? -1)" } ?? [] == texts, "\(name)")
        }
    }
}
