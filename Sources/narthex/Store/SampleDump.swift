import ByteCoding
import Matching
import MetricModel
import TSDB
import Web

/// The samples of a data directory as text, as `promtool tsdb dump` writes them.
enum SampleDump {
    enum Format {
        /// `{__name__="up"} 1 1700000000000`
        case plain
        /// The label sets alone, as JSON objects.
        case labels
        case openMetrics
    }

    static func print(_ flags: ParsedFlags, directory: String, as format: Format) throws {
        let selectors = try flags.all("match").map(StoreCommand.matchers)
        let database = try Database.view(directory) { event in
            switch event {
            case .repaired(let path, let offset, let reason):
                Command.print("damage in \(path) at \(offset): \(reason)\n", to: 2)
            case .blockSetAside(let path, let reason): Command.print("cannot read \(path): \(reason)\n", to: 2)
            default: break
            }
        }
        let querier = try database.querier(
            from: Int64(flags["min-time"]) ?? .min, to: Int64(flags["max-time"]) ?? .max)
        var output = LineOutput()
        var columns = SampleColumns()
        for series in try selected(querier, selectors) {
            if format == .labels {
                output.line { writeJSON(series.labels, to: &$0) }
                continue
            }
            columns.removeAll()
            try series.read(into: &columns)
            switch format {
            case .plain: writePlain(series.labels, columns, &output)
            case .openMetrics: writeOpenMetrics(series.labels, columns, &output)
            case .labels: break
            }
        }
        if format == .openMetrics { output.line { $0 += Array("# EOF".utf8) } }
    }

    /// The series of any of the selectors, by labels, each once.
    private static func selected(_ querier: Querier, _ selectors: [[Matcher]]) throws -> [SelectedSeries] {
        var all: [SelectedSeries] = []
        for matchers in selectors { all += try querier.select(matchers) }
        guard selectors.count > 1 else { return all }
        all.sort { $0.labels < $1.labels }
        return all.indices.filter { $0 == 0 || all[$0].labels != all[$0 - 1].labels }.map { all[$0] }
    }

    private static func writePlain(_ labels: Labels, _ columns: SampleColumns, _ output: inout LineOutput) {
        let prefix = Array(labels.description.utf8) + [UInt8(ascii: " ")]
        var histograms = columns.histograms[...]
        for index in 0..<columns.count {
            output.line { line in
                line += prefix
                if let sample = histograms.first, sample.index == index {
                    line += sample.histogram.text(hasIntegerCounts: sample.hasIntegerCounts)
                    histograms.removeFirst()
                } else {
                    FloatText.append(columns.values[index], .general, to: &line)
                }
                line += Array(" \(columns.timestamps[index])".utf8)
            }
        }
    }

    /// Upstream ends a series at its first histogram.
    private static func writeOpenMetrics(_ labels: Labels, _ columns: SampleColumns, _ output: inout LineOutput) {
        let rest = labels.removing(Labels.metricName).pairs.map { pair in
            pair.name.bytes + [UInt8(ascii: "=")] + Array(Quoting.quote(pair.value).utf8)
        }
        let prefix =
            (labels.metricName?.bytes ?? []) + [UInt8(ascii: "{")] + Array(rest.joined(separator: [UInt8(ascii: ",")]))
            + [UInt8(ascii: "}"), UInt8(ascii: " ")]
        for index in 0..<(columns.histograms.first?.index ?? columns.count) {
            output.line { line in
                line += prefix
                FloatText.append(columns.values[index], .general, to: &line)
                line += Array(" \(seconds(columns.timestamps[index]))".utf8)
            }
        }
    }

    /// Milliseconds as seconds with three digits behind the point.
    private static func seconds(_ milliseconds: Int64) -> String {
        let magnitude = milliseconds.magnitude
        let fraction = String(1000 + magnitude % 1000).dropFirst()
        return "\(milliseconds < 0 ? "-" : "")\(magnitude / 1000).\(fraction)"
    }

    private static func writeJSON(_ labels: Labels, to line: inout [UInt8]) {
        line.append(UInt8(ascii: "{"))
        for (index, pair) in labels.pairs.enumerated() {
            if index > 0 { line.append(UInt8(ascii: ",")) }
            JSONText.append(pair.name, shortControls: true, to: &line)
            line.append(UInt8(ascii: ":"))
            JSONText.append(pair.value, shortControls: true, to: &line)
        }
        line.append(UInt8(ascii: "}"))
    }
}
