import ByteCoding
import MetricModel

/// Families as one line of text that shows every bit, as the recording program wrote them.
enum FamilyDump {
    static func text(_ families: [MetricFamily]) -> String {
        families.sorted { $0.name < $1.name }.map { text($0) + ";" }.joined()
    }

    private static func text(_ family: MetricFamily) -> String {
        let help = family.help.map { Quoting.quote($0) } ?? "-"
        let type =
            switch family.type {
            case .counter: "COUNTER"
            case .gauge: "GAUGE"
            case .histogram: "HISTOGRAM"
            case .gaugeHistogram: "GAUGE_HISTOGRAM"
            case .summary: "SUMMARY"
            default: "UNTYPED"
            }
        return "F \(Quoting.quote(family.name)) \(help) \(type)" + family.metrics.map { text($0) }.joined()
    }

    private static func text(_ metric: Metric) -> String {
        var result = " M"
        for label in metric.labels { result += " \(Quoting.quote(label.name))=\(Quoting.quote(label.value))" }
        switch metric.value {
        case .counter(let counter): result += " c" + bits(counter.value)
        case .gauge(let value): result += " g" + bits(value)
        case .untyped(let value): result += " u" + bits(value)
        case .summary(let summary):
            result += " s"
            if let count = summary.count { result += " n" + bits(count) }
            if let sum = summary.sum { result += " S" + bits(sum) }
            for pair in summary.quantiles { result += " \(bits(pair.quantile)):\(bits(pair.value))" }
        case .histogram(let histogram):
            result += " h"
            if let count = histogram.count { result += " n" + bits(count) }
            if let sum = histogram.sum { result += " S" + bits(sum) }
            for bucket in histogram.buckets { result += " \(bits(bucket.upperBound)):\(bits(bucket.count))" }
            if histogram.hasFloatCounts { result += " float" }
        }
        if let timestamp = metric.timestamp { result += " @\(timestamp)" }
        return result
    }

    private static func bits(_ value: Double) -> String { String(value.bitPattern, radix: 16) }
}

/// Bytes written in hexadecimal.
enum Hexadecimal {
    static func bytes(_ text: Substring) -> [UInt8] {
        var result: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            let digit =
                character < UInt8(ascii: "a") ? character - UInt8(ascii: "0") : character - UInt8(ascii: "a") + 10
            if let first = high {
                result.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return result
    }
}
