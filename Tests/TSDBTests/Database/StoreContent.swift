import Matching
import MetricModel
import TSDB

/// Everything a database answers, in a form that can be compared: lines as `promtool tsdb dump` prints them.
enum StoreContent {
    static func lines(_ database: Database, from start: Timestamp = .min, to end: Timestamp = .max) throws -> [String] {
        var lines: [String] = []
        let querier = try database.querier(from: start, to: end)
        for series in try querier.select([]) {
            var columns = SampleColumns()
            try series.read(into: &columns)
            var histogram = 0
            for index in 0..<columns.count {
                if histogram < columns.histograms.count, columns.histograms[histogram].index == index {
                    let value = columns.histograms[histogram].histogram
                    lines.append(
                        "\(series.labels) \(value.isStale ? "stale" : "\(value)") \(columns.timestamps[index])")
                    histogram += 1
                } else {
                    lines.append("\(series.labels) \(text(columns.values[index])) \(columns.timestamps[index])")
                }
            }
        }
        return lines.sorted()
    }

    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return "\(value.bitPattern)"
    }

    /// The lines of `promtool tsdb dump`, in the same form.
    static func normalised(dump: String) -> [String] {
        dump.split(separator: "\n").map { line in
            // Labels may hold spaces; values of histograms do not.
            let fields = line.split(separator: " ")
            guard fields.count >= 3, let value = fields.dropLast().last, let time = fields.last else {
                return String(line)
            }
            let labels = fields.dropLast(2).joined(separator: " ")
            let number: String
            switch value {
            case "NaN", "+Inf", "-Inf": number = String(value)
            default: number = Double(value).map { "\($0.bitPattern)" } ?? String(value)
            }
            return "\(labels) \(number) \(time)"
        }.sorted()
    }
}
