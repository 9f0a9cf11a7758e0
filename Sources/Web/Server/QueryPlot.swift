internal import ByteCoding
internal import MetricModel
internal import PromQL

/// Makes pictures' content of what a range query gave.
struct QueryPlot {
    /// One series of the answer.
    struct Series {
        let labels: Labels
        let floats: [(timestamp: Timestamp, value: Double)]
        let histograms: [(timestamp: Timestamp, value: FloatHistogram)]
    }

    /// Lines that are drawn; more would hide each other.
    private static let maximumLines = 200
    /// Rows of a heat map; finer buckets are put together.
    private static let maximumRows = 64

    private let series: [Series]

    /// What can be drawn of `value`; nil for a moment.
    init?(_ value: QueryAnswer.Value) {
        switch value {
        case .matrix(let list):
            series = list.map { Series(labels: $0.labels, floats: $0.floats, histograms: $0.histograms) }
        case .series(let list):
            series = list.map { one in
                Series(
                    labels: one.labels, floats: one.floats,
                    histograms: one.histograms.map { ($0.timestamp, $0.value.value) })
            }
        case .scalar, .string, .vector: return nil
        }
    }

    /// The unit that all names agree in.
    var unit: PlotUnit {
        let units = Set(series.map { PlotUnit(metricName: $0.labels.metricName?.string ?? "") })
        return units.count == 1 ? units.first ?? .none : .none
    }

    /// The content for a mode: `lines`, `stacked`, `heatmap`; for any other, whatever suits the data.
    func content(_ mode: String) -> PlotContent {
        let isHistograms = !series.isEmpty && series.allSatisfy { $0.floats.isEmpty && !$0.histograms.isEmpty }
        switch mode {
        case "heatmap": return .heatmap(isHistograms ? nativeRows : classicRows)
        case "stacked": return .stacked(lines)
        case "lines": return .lines(lines)
        default: return isHistograms ? .heatmap(nativeRows) : .lines(lines)
        }
    }

    private var lines: [PlotSeries] {
        series.prefix(Self.maximumLines).map { one in
            let points =
                one.floats.isEmpty
                ? one.histograms.map { ($0.timestamp, $0.value.count) } : one.floats.map { ($0.timestamp, $0.value) }
            return PlotSeries(name: Self.name(one.labels), points: points.map { (Double($0.0) / 1000, $0.1) })
        }
    }

    /// What the legend calls a series.
    static func name(_ labels: Labels) -> String {
        let name = labels.metricName?.string ?? ""
        let rest = labels.removing(Labels.metricName)
        return rest.isEmpty && !name.isEmpty ? name : name + rest.description
    }

    /// Classic buckets, by bound, with what lies between two bounds; series without bounds become a row each.
    private var classicRows: [PlotSeries] {
        var sums: [Double: [Timestamp: Double]] = [:]
        for one in series {
            guard let text = one.labels["le"], let bound = GoFloat.parse(text) else {
                return Array(lines.prefix(Self.maximumRows))
            }
            for point in one.floats { sums[bound, default: [:]][point.timestamp, default: 0] += point.value }
        }
        var below: [Timestamp: Double] = [:]
        return sums.sorted { $0.key < $1.key }.map { bound, row in
            let points = row.sorted { $0.key < $1.key }.map { time, value in
                (time: Double(time) / 1000, value: max(0, value - (below[time] ?? 0)))
            }
            below = row
            return PlotSeries(name: "≤ \(PlotScale.short(bound, significant: 3))", points: points)
        }
    }

    /// Native buckets of all series together; neighbours become one row until there are few enough.
    private var nativeRows: [PlotSeries] {
        struct Range: Hashable {
            let lower: Double
            let upper: Double
        }
        var cells: [Range: [Timestamp: Double]] = [:]
        for one in series {
            for point in one.histograms {
                for bucket in point.value.allBuckets where bucket.count > 0 {
                    cells[Range(lower: bucket.lower, upper: bucket.upper), default: [:]][point.timestamp, default: 0] +=
                        bucket.count
                }
            }
        }
        let sorted = cells.sorted { ($0.key.lower, $0.key.upper) < ($1.key.lower, $1.key.upper) }
        let size = max(1, (sorted.count + Self.maximumRows - 1) / Self.maximumRows)
        return stride(from: 0, to: sorted.count, by: size).map { start in
            let group = sorted[start..<min(start + size, sorted.count)]
            var row: [Timestamp: Double] = [:]
            for cell in group { row.merge(cell.value, uniquingKeysWith: +) }
            let points = row.sorted { $0.key < $1.key }.map { (time: Double($0.key) / 1000, value: $0.value) }
            return PlotSeries(name: "≤ \(PlotScale.short(group.last?.key.upper ?? 0, significant: 3))", points: points)
        }
    }
}
