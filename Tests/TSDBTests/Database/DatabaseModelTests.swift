import DurableFiles
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

/// The store against an obvious one: random appends, deletions, maintenance, stops and crashes.
@Suite struct DatabaseModelTests {
    @Test(arguments: 1...64 as ClosedRange<UInt64>)
    func `the store answers as a list of samples would, through restarts`(_ seed: UInt64) throws {
        var run = try ModelRun(seed: seed)
        for _ in 0..<200 { try run.step() }
        try run.restart(crashing: false)
        try run.check(from: .min, to: .max)
    }
}

/// One run of the store beside its model.
private struct ModelRun {
    private enum Value: Equatable {
        case float(UInt64, start: Timestamp)
        case histogram(count: Double, sum: UInt64, start: Timestamp)
    }

    private struct Series {
        var samples: [Timestamp: Value] = [:]
        var deleted: [ClosedRange<Timestamp>] = []
        var last: Timestamp?
    }

    private let disk: SimulatedDisk
    private let options: Database.Options
    private var random: SeededGenerator
    private var database: Database
    private var model: [Labels: Series] = [:]
    private var now: Timestamp = 1_700_000_000_000
    private var references: [Labels: SeriesReference] = [:]

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        disk = SimulatedDisk(seed: seed)
        var options = Database.Options()
        options.walSegmentSize = 32 << 10
        options.walCompression = seed % 2 == 0 ? .snappy : .zstd
        options.samplesPerChunk = 8
        options.outOfOrderChunkCapacity = 4
        options.outOfOrderWindow = seed % 3 == 0 ? 3_600_000 : 0
        options.minimumFreeBytes = 0
        options.memorySnapshotOnShutdown = seed % 4 < 2
        if seed > 12 {
            options.minimumBlockDuration = 600_000
            options.maximumBlockDuration = 600_000 * 9
        }
        if seed > 48 {
            options.storesStartTimestamps = true
            options.floatEncoding = .xor2
            options.encodesHistogramStarts = true
        }
        self.options = options
        database = try Database.open("data", options: options, fileSystem: disk)
    }

    mutating func step() throws {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: try restart(crashing: Bool.random(using: &random))
        case 1: try delete()
        case 2: try database.maintain(now: now)
        case 3:
            let start = now - Int64.random(in: 0..<4_000_000, using: &random)
            try check(from: start, to: start + Int64.random(in: 0..<4_000_000, using: &random))
        default: try append()
        }
    }

    private func labels(_ index: Int) -> Labels {
        Labels(["__name__": index % 2 == 0 ? "even" : "odd", "i": "\(index)"])
    }

    private mutating func append() throws {
        now += Int64.random(in: 1..<30_000, using: &random)
        let appender = database.appender()
        var added: [(Labels, Timestamp, Value)] = []
        for index in 0..<8 where Bool.random(using: &random) {
            let labels = labels(index)
            var time = now
            if Int.random(in: 0..<6, using: &random) == 0 { time -= Int64.random(in: 0..<6_000_000, using: &random) }
            // Which of two values of one time stays when blocks are merged is nobody's promise.
            if time <= model[labels]?.last ?? .min, model[labels]?.samples[time] != nil { continue }
            // Nor whether a deletion hides what comes after it, as it does in the head.
            if model[labels]?.deleted.contains(where: { $0.contains(time) }) ?? false { continue }
            let reference = Bool.random(using: &random) ? references[labels] ?? .none : .none
            let value: Value
            let isStarted = options.storesStartTimestamps && Int.random(in: 0..<5, using: &random) > 0
            let start = isStarted ? time - Int64.random(in: 0..<3, using: &random) * 10_000 : 0
            let result: SeriesReference
            do throws(AppendError) {
                switch index {
                case 6:
                    let count = UInt64(now % 1000) + 1
                    let histogram = NativeHistogram(
                        schema: 1, count: count, sum: Double(time), positiveSpans: [BucketSpan(offset: 0, length: 2)],
                        positiveDeltas: [Int64(count) - 1, 2 - Int64(count)])
                    value = .histogram(count: Double(count), sum: Double(time).bitPattern, start: start)
                    result = try appender.append(
                        reference, labels: labels, timestamp: time, histogram: histogram, start: start)
                case 7:
                    let histogram = FloatHistogram(
                        schema: 0, count: 1.5, sum: Double(time), positiveSpans: [BucketSpan(offset: 3, length: 1)],
                        positiveBuckets: [1.5])
                    value = .histogram(count: 1.5, sum: Double(time).bitPattern, start: start)
                    result = try appender.append(
                        reference, labels: labels, timestamp: time, floatHistogram: histogram, start: start)
                default:
                    let number = Double.random(in: -10...10, using: &random)
                    value = .float(number.bitPattern, start: start)
                    result = try appender.append(
                        reference, labels: labels, timestamp: time, value: number, start: start)
                }
            } catch { continue }
            references[labels] = result
            added.append((labels, time, value))
        }
        if Int.random(in: 0..<10, using: &random) == 0 { return appender.rollback() }
        _ = try appender.commit(.synced)
        for (labels, time, value) in added {
            var series = model[labels] ?? Series()
            if series.samples[time] == nil { series.samples[time] = value }
            series.last = max(series.last ?? .min, time)
            model[labels] = series
        }
    }

    private mutating func delete() throws {
        let index = Int.random(in: 0..<8, using: &random)
        let start = now - Int64.random(in: 0..<2_000_000, using: &random)
        let end = start + Int64.random(in: 0..<500_000, using: &random)
        try database.delete([Matcher("i", equals: ByteString("\(index)"))], from: start, to: end)
        guard var series = model[labels(index)], let first = series.samples.keys.min(),
            let last = series.samples.keys.max()
        else { return }
        let low = max(first, start)
        let high = min(last, end)
        if low <= high { series.deleted.append(low...high) }
        model[labels(index)] = series
    }

    mutating func restart(crashing: Bool) throws {
        if crashing { disk.restart(.dropUnsynced) } else { try database.close() }
        database = try Database.open("data", options: options, fileSystem: disk)
        references = [:]
    }

    func check(from start: Timestamp, to end: Timestamp) throws {
        var expected: [Labels: [Timestamp: Value]] = [:]
        for (labels, series) in model {
            let visible = series.samples.filter { sample in
                sample.key >= start && sample.key <= end && !series.deleted.contains { $0.contains(sample.key) }
            }
            if !visible.isEmpty { expected[labels] = visible }
        }
        var found: [Labels: [Timestamp: Value]] = [:]
        var last: Labels?
        for series in try database.querier(from: start, to: end).select([]) {
            if let last { #expect(last < series.labels) }
            last = series.labels
            var columns = SampleColumns()
            try series.read(into: &columns)
            for (index, time) in columns.timestamps.enumerated() {
                if index > 0 { #expect(columns.timestamps[index - 1] < time) }
                let start = columns.startTimestamps.isEmpty ? 0 : columns.startTimestamps[index]
                found[series.labels, default: [:]][time] = .float(columns.values[index].bitPattern, start: start)
            }
            for sample in columns.histograms {
                let start = columns.startTimestamps.isEmpty ? 0 : columns.startTimestamps[sample.index]
                found[series.labels, default: [:]][columns.timestamps[sample.index]] = .histogram(
                    count: sample.histogram.count, sum: sample.histogram.sum.bitPattern, start: start)
            }
        }
        for labels in Set(found.keys).union(expected.keys) {
            let mine = found[labels] ?? [:]
            let theirs = expected[labels] ?? [:]
            let missing = theirs.filter { mine[$0.key] != $0.value }
            let invented = mine.filter { theirs[$0.key] != $0.value }
            #expect(
                missing.isEmpty && invented.isEmpty,
                "\(labels) missing \(missing.keys.sorted().map { $0 - 1_700_000_000_000 }) of \(mine.keys.sorted().map { $0 - 1_700_000_000_000 })"
            )
        }
    }
}
