import MetricModel
import Web

/// A server's answer to a query, as far as it is printed.
struct PrintedAnswer: Decodable {
    var data: Content?
    var error: String?
    var warnings: [String]?
    var infos: [String]?

    enum Content: Decodable {
        case series([Series])
        case string(String)
        case scalar(Point)

        private enum Keys: CodingKey {
            case resultType, result
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            switch try container.decode(String.self, forKey: .resultType) {
            case "vector", "matrix": self = .series(try container.decode([Series].self, forKey: .result))
            case "string": self = .string(try container.decode(Point.self, forKey: .result).value)
            default: self = .scalar(try container.decode(Point.self, forKey: .result))
            }
        }

        /// One line for each sample of a vector, a block for each series of a matrix.
        var text: String {
            switch self {
            case .series(let series): series.map(\.text).joined()
            case .string(let text): text + "\n"
            case .scalar(let point): "scalar: \(point.text)\n"
            }
        }

        /// A column for each label and for the last value, a line for each series.
        var table: String {
            guard case .series(let series) = self, !series.isEmpty else { return text }
            let names = Set(series.flatMap { $0.metric.keys }).sorted()
            var rows = [names.map { $0 == "__name__" ? "metric" : $0 } + ["value"]]
            for one in series {
                rows.append(names.map { one.metric[$0] ?? "" } + [one.points.last?.value ?? ""])
            }
            return TextTable.text(rows)
        }

        /// The lines of a plot.
        var lines: [PlotSeries] {
            guard case .series(let series) = self else { return [] }
            return series.map { one in
                PlotSeries(
                    name: one.name, points: one.points.map { (time: $0.time, value: Double($0.value) ?? .nan) })
            }
        }
    }

    /// A moment and what was there, as it was written.
    struct Point: Decodable {
        var time: Double
        var value: String

        var text: String { "\(value) @[\(time)]" }

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            time = try container.decode(Double.self)
            if let number = try? container.decode(String.self) {
                value = number
            } else {
                let histogram = try container.decode(Histogram.self)
                value = "{count:\(histogram.count), sum:\(histogram.sum)}"
            }
        }
    }

    struct Histogram: Decodable {
        var count: String
        var sum: String
    }

    struct Series: Decodable {
        var metric: [String: String]
        var value: Point?
        var histogram: Point?
        var values: [Point]?
        var histograms: [Point]?

        /// By time.
        var points: [Point] {
            if let point = value ?? histogram { return [point] }
            return ((values ?? []) + (histograms ?? [])).sorted { $0.time < $1.time }
        }

        /// As a selector would name it.
        var name: String { LabelText.text(metric) }

        var text: String {
            if let point = value ?? histogram { return "\(name) => \(point.text)\n" }
            return "\(name) =>\n" + points.map { "\($0.text)\n" }.joined()
        }
    }
}

/// Labels as a selector would name them: `up{job="a"}`.
enum LabelText {
    static func text(_ labels: [String: String]) -> String {
        let pairs = labels.filter { $0.key != "__name__" }.sorted { $0.key < $1.key }.map { name, value in
            "\(name)=\(Quoting.quote(ByteString(value)))"
        }
        let name = labels["__name__"] ?? ""
        return pairs.isEmpty && !name.isEmpty ? name : name + "{\(pairs.joined(separator: ", "))}"
    }
}
