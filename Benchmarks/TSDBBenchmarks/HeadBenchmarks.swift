internal import ByteCoding
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
        var samples: [ReferencedSample] = []
        for step in 1..<sampleCount {
            for index in 0..<seriesCount {
                let change = steps[index] * noise[(index + step * 7) % 4099]
                values[index] = index % 20 < 14 ? values[index] + change.rounded() : (change * 4096).rounded()
            }
            let cpu = Usage.cpuSeconds
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
            if step % 4 == 0 { try database.maintain(now: start + Int64(step) * 15_000) }
        }
        print("known series: \(Int(spent / Double(total) * 1e9)) ns CPU a sample, \(total) samples")
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
