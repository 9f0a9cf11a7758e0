import Glibc
import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

/// Data directories change hands between this store and Prometheus 3.14's own code, with every kind of record and chunk.
///
/// `NARTHEX_STORE_ORACLE` names a program made from that code: `PROGRAM write DIR FEATURES` fills a directory and prints
/// its content, `PROGRAM dump DIR FEATURES` prints the content of one that is there, in the form of ``lines(_:)``.
/// Features: `st` for start timestamps with the encodings that keep them, `snapshot` for a memory snapshot at the end,
/// `kill` for an end without a stop, `compact` for blocks.
@Suite(.enabled(if: getenv("NARTHEX_STORE_ORACLE") != nil))
struct StoreOracleTests {
    private static var program: String? { getenv("NARTHEX_STORE_ORACLE").map { String(cString: $0) } }

    private static let start: Timestamp = 1_700_006_400_000
    private static let features = [
        "plain", "plain,kill", "plain,snapshot", "plain,compact", "st", "st,kill", "st,snapshot", "st,compact",
    ]

    @Test(arguments: features)
    func `we read what Prometheus wrote`(_ features: String) throws {
        let program = try #require(Self.program)
        let folder = try TemporaryFolder()
        let directory = folder.file("data")
        let theirs = try RealProgram.run([program, "write", directory, features]).split(separator: "\n").map(
            String.init)
        let database = try Database.open(directory, options: Self.options(features))
        Self.expect(try Self.lines(database), theirs, exemplars: !features.contains("compact"))
        try database.close()
        // What we left is theirs again, and ours.
        let again = try RealProgram.run([program, "dump", directory, features]).split(separator: "\n").map(String.init)
        Self.expect(again, theirs, exemplars: !features.contains("compact"))
        let reopened = try Database.open(directory, options: Self.options(features))
        Self.expect(try Self.lines(reopened), theirs, exemplars: !features.contains("compact"))
        try reopened.close()
    }

    @Test(arguments: features)
    func `Prometheus reads what we wrote`(_ features: String) throws {
        let program = try #require(Self.program)
        let folder = try TemporaryFolder()
        let directory = folder.file("data")
        let database = try Database.open(directory, options: Self.options(features))
        try Self.fill(database, features)
        let mine = try Self.lines(database)
        #expect(mine.count > 3000)
        if features.contains("kill") {
            // Prometheus changes what it opens, and this process still has it.
            _ = try RealProgram.run(["/bin/cp", "-r", directory, directory + "-killed"])
        } else {
            try database.close()
        }
        let left = features.contains("kill") ? directory + "-killed" : directory
        let theirs = try RealProgram.run([program, "dump", left, features]).split(separator: "\n").map(String.init)
        Self.expect(theirs, mine, exemplars: !features.contains("compact"))
        let again = try Database.open(left, options: Self.options(features))
        Self.expect(try Self.lines(again), mine, exemplars: !features.contains("compact"))
        try again.close()
        if features.contains("kill") { try database.close() }
    }

    private static func options(_ features: String) -> Database.Options {
        var options = Database.Options()
        options.retention = 0
        options.maximumExemplars = 1000
        options.metadataRecords = true
        options.outOfOrderWindow = 3_600_000
        options.outOfOrderChunkCapacity = 4
        options.walSegmentSize = 128 << 10
        options.memorySnapshotOnShutdown = features.contains("snapshot")
        if features.hasPrefix("st") {
            options.storesStartTimestamps = true
            options.floatEncoding = .xor2
            options.encodesHistogramStarts = true
        }
        return options
    }

    /// The first differences, if there are any.
    private static func expect(_ found: [String], _ expected: [String], exemplars: Bool) {
        let mine = Set(found.filter { exemplars || !$0.hasPrefix("exemplar") })
        let theirs = Set(expected.filter { exemplars || !$0.hasPrefix("exemplar") })
        let missing = theirs.subtracting(mine).sorted()
        let invented = mine.subtracting(theirs).sorted()
        #expect(
            missing.isEmpty && invented.isEmpty,
            "\(missing.count) missing: \(missing.prefix(3)); \(invented.count) more: \(invented.prefix(3))")
    }

    // MARK: Content

    /// Everything that a database holds, bit by bit.
    private static func lines(_ database: Database) throws -> [String] {
        var lines: [String] = []
        for series in try database.querier(from: .min, to: .max).select([]) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            var histograms = columns.histograms[...]
            for (index, time) in columns.timestamps.enumerated() {
                let start = columns.startTimestamps.isEmpty ? 0 : columns.startTimestamps[index]
                let value: String
                if let sample = histograms.first, sample.index == index {
                    histograms = histograms.dropFirst()
                    value = (sample.hasIntegerCounts ? "h " : "fh ") + text(sample.histogram)
                } else {
                    value = "f " + text(columns.values[index])
                }
                lines.append("\(series.labels) \(time) \(start) \(value)")
            }
        }
        for series in try database.exemplars(matching: [[]], from: .min, to: .max) {
            for exemplar in series.exemplars {
                lines.append(
                    "exemplar \(series.labels) \(exemplar.labels) \(exemplar.timestamp ?? 0) \(text(exemplar.value))")
            }
        }
        return lines
    }

    private static func text(_ value: Double) -> String {
        let digits = String(value.bitPattern, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    private static func text(_ histogram: FloatHistogram) -> String {
        if histogram.isStale { return "stale" }
        func list(_ values: [Double]) -> String { values.map { text($0) + "," }.joined() }
        func list(_ spans: [BucketSpan]) -> String { spans.map { "\($0.offset):\($0.length)," }.joined() }
        let numbers = [histogram.zeroThreshold, histogram.zeroCount, histogram.count, histogram.sum].map { text($0) }
        return "\(histogram.schema) " + numbers.joined(separator: " ")
            + " p\(list(histogram.positiveSpans))\(list(histogram.positiveBuckets))"
            + " n\(list(histogram.negativeSpans))\(list(histogram.negativeBuckets)) c\(list(histogram.customValues))"
    }

    // MARK: Filling

    /// Six hours of everything.
    private static func fill(_ database: Database, _ features: String) throws {
        for step in 0..<360 {
            let time = start + Int64(step) * 60_000
            let started = features.hasPrefix("st") && step % 9 != 0 ? start - 1000 + Int64(step / 50) * 3_000_000 : 0
            let appender = database.appender()
            for index in 0..<6 where step % (index + 7) != 0 {
                let labels = Labels([
                    "__name__": "churned", "i": "\(index)", "pod": "p\(step / 90)\" \\ ü",
                ])
                let value: Double =
                    switch (step + index) % 17 {
                    case 0: .infinity
                    case 1: -.infinity
                    case 2: SampleValue.stale
                    case 3: Double(bitPattern: 0x7FF8_0000_0000_0123)
                    case 4: -0.0
                    default: Double(step * 31 + index) / 7
                    }
                let reference = try appender.append(
                    .none, labels: labels, timestamp: time, value: value, start: min(started, time))
                try appender.update(
                    reference,
                    metadata: MetricMetadata(type: .counter, unit: "seconds", help: ByteString("help \(step / 100)")))
                if step % 10 == 0 {
                    let trace = Exemplar(labels: Labels(["trace": "\(step)"]), value: Double(step), timestamp: time)
                    try appender.append(reference, exemplar: trace)
                }
            }
            try addHistograms(appender, step, time, min(started, time))
            _ = try appender.commit(.relaxed)
            if step % 20 == 19 { try addLate(database, step, time, min(started, time)) }
            if features.contains("compact"), step % 60 == 59 { try database.maintain(now: time) }
        }
        try database.delete(
            [Matcher("i", equals: "2")], from: start + 3_000_000, to: start + 5_000_000)
    }

    private static func addHistograms(
        _ appender: Appender, _ step: Int, _ time: Timestamp, _ started: Timestamp
    ) throws {
        func add(_ name: String, _ histogram: NativeHistogram) throws {
            _ = try appender.append(
                .none, labels: Labels(["__name__": name]), timestamp: time, histogram: histogram, start: started)
        }
        func add(_ name: String, _ histogram: FloatHistogram) throws {
            _ = try appender.append(
                .none, labels: Labels(["__name__": name]), timestamp: time, floatHistogram: histogram, start: started)
        }
        let count = UInt64(step % 200) + 1
        let signed = Int64(count)
        try add(
            "h_integer",
            step % 40 == 39
                ? NativeHistogram(sum: SampleValue.stale)
                : NativeHistogram(
                    schema: Int32(1 + step / 180), zeroThreshold: 0.001, zeroCount: count, count: 4 * count + 3,
                    sum: Double(step) * 1.5,
                    positiveSpans: [
                        BucketSpan(offset: 0, length: 2), BucketSpan(offset: Int32(1 + step % 3), length: 1),
                    ],
                    positiveDeltas: [signed, 0, 3]))
        let float = FloatHistogram(
            schema: 2, zeroThreshold: 0.5, zeroCount: 1.5, count: 1.75 + Double(count), sum: -3.5,
            negativeSpans: [BucketSpan(offset: -3, length: 2)], negativeBuckets: [Double(count), 0.25])
        try add("h_float", float)
        var gauge = float
        gauge.counterResetHint = .gauge
        gauge.negativeBuckets = [Double(step * 7919 % 50), 3]
        gauge.count = 4.5 + gauge.negativeBuckets[0]
        try add("h_gauge", gauge)
        try add(
            "h_custom",
            NativeHistogram(
                schema: FloatHistogram.customBucketsSchema, count: 3 * count, sum: Double(step),
                positiveSpans: [BucketSpan(offset: 0, length: 3)], positiveDeltas: [signed, 0, 0],
                customValues: [0.1, 1, Double(5 + step / 150)]))
        try add(
            "h_custom_float",
            FloatHistogram(
                schema: FloatHistogram.customBucketsSchema, count: 3 * Double(count), sum: Double(step),
                positiveSpans: [BucketSpan(offset: 1, length: 2)], positiveBuckets: [Double(count), 2 * Double(count)],
                customValues: [-1, 1, 2.5]))
        if step % 30 < 15 {
            _ = try appender.append(
                .none, labels: Labels(["__name__": "mixed"]), timestamp: time, value: Double(step), start: started)
        } else {
            try add("mixed", float)
        }
    }

    private static func addLate(
        _ database: Database, _ step: Int, _ time: Timestamp, _ started: Timestamp
    ) throws {
        let histogram = FloatHistogram(
            schema: 0, count: 1.5, sum: Double(step), positiveSpans: [BucketSpan(offset: 3, length: 1)],
            positiveBuckets: [1.5])
        for (offset, value) in [(Int64(0), Double(step)), (-1_234_567, -Double(step))] {
            let appender = database.appender()
            let late = time + offset
            _ = try appender.append(
                .none, labels: Labels(["__name__": "late"]), timestamp: late, value: value, start: min(started, late))
            _ = try appender.append(
                .none, labels: Labels(["__name__": "late_h"]), timestamp: late, floatHistogram: histogram,
                start: min(started, late))
            _ = try appender.commit(.synced)
        }
    }
}
