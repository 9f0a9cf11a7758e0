import ByteCoding
import MetricModel
import PromQL

/// Results of queries as lines of text, to compare them with those of another engine.
///
/// `T` the type, `L` the labels of a series, `F` and `H` a number and a histogram with its time, `X` a text, `W` and
/// `I` a warning and an info, `N` statistics, `E` an error. Numbers are written so that every bit counts.
enum AnswerText {
    static func lines(_ result: QueryResult, query: ByteString) -> [String] {
        var lines: [String] = []
        switch result.value {
        case .scalar(let time, let number): lines += ["T scalar", "F \(time) \(text(number))"]
        case .string(let time, let value): lines += ["T string", "X \(time) \(Quoting.quote(value))"]
        case .vector(let time, let samples):
            lines.append("T vector")
            for (labels, value) in samples {
                lines.append("L \(labels)")
                switch value {
                case .float(let number): lines.append("F \(time) \(text(number))")
                case .histogram(let histogram): lines.append("H \(time) \(text(histogram))")
                }
            }
        case .matrix(let series):
            lines.append("T matrix")
            for one in series {
                lines.append("L \(one.labels)")
                lines += one.floats.map { "F \($0.timestamp) \(text($0.value))" }
                lines += one.histograms.map { "H \($0.timestamp) \(text($0.value.value))" }
            }
        }
        let (warnings, infos) = result.annotations.texts(query: query, limit: 0)
        lines += warnings.map { "W \(Quoting.quote(ByteString($0)))" }.sorted()
        lines += infos.map { "I \(Quoting.quote(ByteString($0)))" }.sorted()
        let steps = result.statistics.samplesPerStep.map { "\($0.samples)" }.joined(separator: " ")
        lines.append(
            "N total=\(result.statistics.totalSamples) read=\(result.statistics.samplesRead) steps=[\(steps)]")
        return lines
    }

    private static func text(_ number: Double) -> String {
        number.isNaN ? "NaN" : FloatText.string(number, .general)
    }

    private static func text(_ histogram: FloatHistogram) -> String {
        var line =
            "s=\(histogram.schema) zt=\(text(histogram.zeroThreshold)) zc=\(text(histogram.zeroCount)) "
            + "c=\(text(histogram.count)) sum=\(text(histogram.sum)) hint=\(hint(histogram.counterResetHint))"
        if histogram.usesCustomBuckets {
            line += " cv=\(histogram.customValues.map(text).joined(separator: ","))"
        }
        line += side("p", histogram.positiveSpans, histogram.positiveBuckets)
        return line + side("n", histogram.negativeSpans, histogram.negativeBuckets)
    }

    private static func hint(_ hint: CounterResetHint) -> Int {
        switch hint {
        case .unknown: 0
        case .reset: 1
        case .notReset: 2
        case .gauge: 3
        }
    }

    private static func side(_ name: String, _ spans: [BucketSpan], _ buckets: [Double]) -> String {
        var line = ""
        var bucket = 0
        var place = 0
        for span in spans {
            place += Int(span.offset)
            for _ in 0..<span.length {
                if bucket < buckets.count, buckets[bucket] != 0 { line += " \(name)\(place):\(text(buckets[bucket]))" }
                place += 1
                bucket += 1
            }
        }
        return line
    }
}
