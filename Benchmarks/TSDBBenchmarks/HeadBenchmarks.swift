internal import ByteCoding
internal import CAllocationCounter
internal import Matching
internal import MetricModel
internal import TSDB
internal import TestSupport

/// Appending, replaying and reading, on the series that the project's ingest benchmark sends.
enum HeadBenchmarks {
    /// Container metrics as kubelet's exporter has them: 20 of each pod.
    static func labels(_ index: Int) -> Labels {
        let (pod, metric) = index.quotientAndRemainder(dividingBy: 20)
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        let kind = metric < 14 ? "total" : "bytes"
        return Labels([
            "__name__": "container_resource_\(two(metric))_\(kind)", "cluster": "cluster-\(pod % 4)",
            "namespace": "team-\(two(pod % 50))", "pod": "service-\(two(pod % 97))-5f7d8b9c4-\(pod)",
            "container": "app-\(pod % 20)", "node": "node-\(pod % 100)", "instance": "10.0.\(pod % 100).7:10250",
            "job": "bench",
        ])
    }

    /// Batches of 2,000 series, one sample each, synced.
    static func append(_ directory: String, _ seriesCount: Int, _ sampleCount: Int) throws {
        let database = try Database.open(directory) { print($0) }
        let sets = (0..<seriesCount).map { labels($0) }
        print("labels made, RSS \(Int(Usage.residentMiB)) MiB")
        var references: [SeriesReference] = []
        let start: Timestamp = 1_700_000_000_000
        try Usage.measure("new series", seriesCount, "series") {
            for batch in stride(from: 0, to: seriesCount, by: 2000) {
                let appender = database.appender()
                for index in batch..<min(batch + 2000, seriesCount) {
                    references.append(
                        try appender.append(.none, labels: sets[index], timestamp: start, value: Double(index)))
                }
                _ = try appender.commit(.synced)
            }
        }
        var random = SeededGenerator(seed: 3)
        var values = (0..<seriesCount).map { _ in Double(Int.random(in: 0..<100_000_000, using: &random)) }
        let steps = (0..<seriesCount).map { _ in Double(Int.random(in: 1..<1000, using: &random)) }
        let noise = (0..<4099).map { _ in Double.random(in: 0..<1, using: &random) }
        let total = seriesCount * (sampleCount - 1)
        var spent = 0.0
        var allocations: UInt64 = 0
        var samples: [ReferencedSample] = []
        for step in 1..<sampleCount {
            for index in 0..<seriesCount {
                let change = steps[index] * noise[(index + step * 7) % 4099]
                values[index] = index % 20 < 14 ? values[index] + change.rounded() : (change * 4096).rounded()
            }
            let cpu = Usage.cpuSeconds
            let before = allocation_count()
            for batch in stride(from: 0, to: seriesCount, by: 2000) {
                samples.removeAll(keepingCapacity: true)
                for index in batch..<min(batch + 2000, seriesCount) {
                    samples.append(ReferencedSample(references[index], start + Int64(step) * 15_000, values[index]))
                }
                let appender = database.appender()
                let taken = appender.append(samples) { print("rejected", $0, $1) }
                let result = try appender.commit(.synced)
                if taken != samples.count || result.appended != taken { print("lost samples", taken, result) }
            }
            spent += Usage.cpuSeconds - cpu
            allocations += allocation_count() - before
            if step % 4 == 0 { try database.maintain(now: start + Int64(step) * 15_000) }
        }
        print("known series: \(Int(spent / Double(total) * 1e9)) ns CPU a sample, \(total) samples")
        print("allocations a sample: \(Double(allocations * 10_000 / UInt64(max(1, total))) / 10_000)")
        print("RSS \(Int(Usage.residentMiB)) MiB; \(database.headStatus)")
        try Usage.measure("close", 1, "close") { try database.close() }
    }

    /// Opens a directory, which replays its log.
    static func replay(_ directory: String) throws {
        var database: Database?
        try Usage.measure("open", 1, "open") { database = try Database.open(directory) { print($0) } }
        if let database { print(database.headStatus) }
        try database?.close()
    }

    /// Writes some of everything, for a look by another program; `hour` milliseconds up to now.
    static func fill(_ directory: String, _ newest: Int) throws {
        var options = Database.Options()
        options.maximumExemplars = 1000
        options.outOfOrderWindow = 3_600_000
        let database = try Database.open(directory, options: options)
        for step in 0..<200 {
            let time = Int64(newest) - Int64(200 - step) * 15_000
            let appender = database.appender()
            let number = try appender.append(
                .none, labels: Labels(["__name__": "f"]), timestamp: time,
                value: step % 50 == 49 ? SampleValue.stale : Double(step) * 1.5)
            try appender.append(
                number, exemplar: Exemplar(labels: Labels(["trace_id": "t\(step)"]), value: 1, timestamp: time))
            let count = UInt64(step) + 3
            _ = try appender.append(
                .none, labels: Labels(["__name__": "h"]), timestamp: time,
                histogram: NativeHistogram(
                    schema: step < 100 ? 1 : 2, zeroThreshold: 0.001, zeroCount: 1, count: count, sum: Double(step),
                    positiveSpans: [BucketSpan(offset: 0, length: 1), BucketSpan(offset: 2, length: 1)],
                    positiveDeltas: [Int64(count) - 2, 3 - Int64(count)]))
            _ = try appender.append(
                .none, labels: Labels(["__name__": "fh"]), timestamp: time,
                floatHistogram: FloatHistogram(
                    counterResetHint: .gauge, schema: 0, count: 2.5, sum: Double(step),
                    positiveSpans: [BucketSpan(offset: Int32(step % 3), length: 2)], positiveBuckets: [1, 1.5]))
            if step % 10 == 9 {
                _ = try? appender.append(
                    .none, labels: Labels(["__name__": "f"]), timestamp: time - 77_777, value: -1)
            }
            _ = try appender.commit(.synced)
        }
        try database.maintain(now: Int64(newest))
    }

    /// Prints every sample, as `promtool tsdb dump` does.
    static func dump(_ directory: String) throws {
        let database = try Database.open(directory)
        for series in try database.querier(from: .min, to: .max).select([]) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            for index in 0..<columns.count {
                print(
                    "\(series.labels) \(FloatText.string(columns.values[index], .general)) \(columns.timestamps[index])"
                )
            }
        }
        try database.close()
    }

    /// Reads every sample.
    static func query(_ directory: String) throws {
        let database = try Database.open(directory)
        let querier = try database.querier(from: .min, to: .max)
        var all: [SelectedSeries] = []
        try Usage.measure("select all", 1, "query") { all = try querier.select([]) }
        var columns = SampleColumns()
        var total = 0
        for series in all {
            columns.removeAll()
            try series.read(into: &columns)
            total += columns.count
        }
        try Usage.measure("read all", total, "sample") {
            for series in all {
                columns.removeAll()
                try series.read(into: &columns)
            }
        }
        try database.close()
    }
}
