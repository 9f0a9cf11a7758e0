internal import ByteCoding
internal import MetricModel
internal import PromQL

/// Compares what a query gave with what a script expects.
struct Comparison {
    typealias Sample = SeriesDescription.Value.Sample

    let command: EvaluateCommand
    /// Added to messages.
    let place: String

    // MARK: Annotations

    static func check(
        _ found: [String], _ expected: EvaluateCommand.AnnotationExpectation, _ kind: String, _ place: String
    ) throws(Mismatch) {
        switch expected {
        case .anything: return
        case .none:
            if !found.isEmpty { throw Mismatch("unexpected \(kind) annotations\(place): \(found)") }
        case .matching(let patterns):
            if found.isEmpty { throw Mismatch("expected \(kind) annotations but none were found\(place)") }
            for pattern in patterns where !found.contains(where: pattern.matches) {
                throw Mismatch("expected \(kind) annotation with \(pattern.description)\(place), found: \(found)")
            }
            for text in found where !patterns.contains(where: { $0.matches(text) }) {
                throw Mismatch("unexpected \(kind) annotation \(Quoting.quote(ByteString(text)))\(place)")
            }
        }
    }

    // MARK: Values

    func check(_ value: ScriptAnswer.Value) throws(Mismatch) {
        switch (value, command.result) {
        case (.string(let found), .string(let expected)):
            if found != expected {
                throw Mismatch("expected string \"\(expected)\" but got \"\(found)\"\(place)")
            }
        case (.scalar(let found), .scalar(let expected)):
            if !Self.areClose(found, expected) {
                throw Mismatch("expected scalar \(Self.text(expected)) but got \(Self.text(found))\(place)")
            }
        case (.vector(let found), .series(let expected)): try check(found, expected)
        case (.matrix(let found), .series(let expected)): try check(found, expected)
        case (let found, _): throw Mismatch("the result is of another kind: \(Self.text(found))\(place)")
        }
    }

    private func check(_ found: [ScriptAnswer.Sample], _ expected: [SeriesDescription]) throws(Mismatch) {
        var seen: Set<Labels> = []
        for (index, sample) in found.enumerated() {
            let name = Self.text(sample.labels)
            guard let place = expected.firstIndex(where: { $0.labels == sample.labels }) else {
                throw Mismatch("unexpected metric \(name) in result, has value \(Self.text(sample.value))\(self.place)")
            }
            if command.isOrdered, place != index {
                throw Mismatch(
                    "expected metric \(name) at position \(place + 1) but was at \(index + 1)\(self.place)")
            }
            guard let value = expected[place].values.first, let wanted = value.sample,
                Self.areClose(sample.value, wanted, comparesHint: value.isHintGiven)
            else {
                let wanted = (expected[place].values.first?.sample).map(Self.text) ?? "_"
                throw Mismatch("expected \(wanted) for \(name) but got \(Self.text(sample.value))\(self.place)")
            }
            seen.insert(sample.labels)
        }
        try checkMissing(expected, seen)
    }

    private func check(_ found: [ScriptAnswer.Series], _ expected: [SeriesDescription]) throws(Mismatch) {
        if command.isOrdered { throw Mismatch("expected ordered result, but query returned a matrix\(place)") }
        try checkOrder(found)
        var seen: Set<Labels> = []
        for series in found {
            guard let description = expected.first(where: { $0.labels == series.labels }) else {
                throw Mismatch(
                    "unexpected metric \(Self.text(series.labels)) in result, has \(Self.text(series))\(place)")
            }
            try check(series, description)
            seen.insert(series.labels)
        }
        try checkMissing(expected, seen)
    }

    private func checkMissing(_ expected: [SeriesDescription], _ seen: Set<Labels>) throws(Mismatch) {
        for description in expected where !seen.contains(description.labels) {
            throw Mismatch("expected metric \(Self.text(description.labels)) not found\(place)")
        }
    }

    func checkOrder(_ matrix: [ScriptAnswer.Series]) throws(Mismatch) {
        for (series, next) in zip(matrix, matrix.dropFirst()) where next.labels < series.labels {
            throw Mismatch(
                "series are not sorted by labels: \(Self.text(series.labels)) before \(Self.text(next.labels))\(place)")
        }
    }

    private func check(_ series: ScriptAnswer.Series, _ description: SeriesDescription) throws(Mismatch) {
        let (start, end, step) = times
        var wanted: [(timestamp: Timestamp, value: SeriesDescription.Value, sample: Sample)] = []
        for (index, value) in description.values.enumerated() {
            let timestamp = start &+ Int64(index) &* step
            if timestamp > end {
                throw Mismatch(
                    "expected \(description.values.count) points for \(Self.text(series.labels)), but the time range "
                        + "cannot return this many\(place)")
            }
            if let sample = value.sample { wanted.append((timestamp, value, sample)) }
        }
        guard wanted.count == series.points.count else {
            throw Mismatch(
                "expected \(wanted.count) points for \(Self.text(series.labels)), but got \(Self.text(series))\(place)")
        }
        for (expected, point) in zip(wanted, series.points) {
            let isClose = Self.areClose(point.value, expected.sample, comparesHint: expected.value.isHintGiven)
            if expected.timestamp != point.timestamp || !isClose {
                throw Mismatch(
                    "expected \(Self.text(expected.sample)) at \(expected.timestamp) for \(Self.text(series.labels)), "
                        + "but got \(Self.text(point.value)) at \(point.timestamp) (result has \(Self.text(series)))"
                        + place)
            }
        }
    }

    private var times: (start: Timestamp, end: Timestamp, step: Int64) {
        if let rangeVector = command.rangeVector { return rangeVector }
        switch command.time {
        case .instant(let time): return (time, time, 0)
        case .range(let start, let end, let step): return (start, end, step)
        }
    }

    // MARK: Closeness

    /// Numbers that differ by less than a millionth of their size; NaNs are alike, the staleness marker only itself.
    ///
    /// Source: prometheus/prometheus util/almost.
    static func areClose(_ a: Double, _ b: Double) -> Bool {
        let epsilon = 0.000_001
        if SampleValue.isStale(a) || SampleValue.isStale(b) { return SampleValue.isStale(a) && SampleValue.isStale(b) }
        if a.isNaN && b.isNaN || a == b { return true }
        let sum = a.magnitude + b.magnitude
        let difference = (a - b).magnitude
        if a == 0 || b == 0 || sum < .leastNormalMagnitude { return difference < epsilon * .leastNormalMagnitude }
        return difference / min(sum, .greatestFiniteMagnitude) < epsilon
    }

    private static func areClose(_ found: Sample, _ expected: Sample, comparesHint: Bool) -> Bool {
        switch (found, expected) {
        case (.float(let found), .float(let expected)): return areClose(found, expected)
        case (.histogram(let found), .histogram(let expected)):
            let found = found.compacted()
            let expected = expected.compacted()
            return found.schema == expected.schema && areClose(found.count, expected.count)
                && areClose(found.sum, expected.sum)
                && (!expected.usesCustomBuckets || found.customValues == expected.customValues)
                && found.zeroThreshold == expected.zeroThreshold && areClose(found.zeroCount, expected.zeroCount)
                && found.positiveSpans == expected.positiveSpans && found.negativeSpans == expected.negativeSpans
                && areClose(found.positiveBuckets, expected.positiveBuckets)
                && areClose(found.negativeBuckets, expected.negativeBuckets)
                && (!comparesHint || found.counterResetHint == expected.counterResetHint)
        case (.float, .histogram), (.histogram, .float): return false
        }
    }

    private static func areClose(_ found: [Double], _ expected: [Double]) -> Bool {
        found.count == expected.count && zip(found, expected).allSatisfy { areClose($0, $1) }
    }

    // MARK: Texts

    private static func text(_ value: Double) -> String { FloatText.string(value, .general) }

    private static func text(_ sample: Sample) -> String {
        switch sample {
        case .float(let value): text(value)
        case .histogram(let histogram):
            "\(histogram.testExpression) (counter reset hint \(histogram.counterResetHint))"
        }
    }

    private static func text(_ series: ScriptAnswer.Series) -> String {
        series.points.map { "\(text($0.value)) @[\($0.timestamp)]" }.joined(separator: " ")
    }

    private static func text(_ labels: Labels) -> String { labels.description }

    private static func text(_ value: ScriptAnswer.Value) -> String {
        switch value {
        case .scalar(let value): "scalar \(text(value))"
        case .string(let text): "string \(Quoting.quote(text))"
        case .vector(let samples):
            "vector " + samples.map { "\(text($0.labels)) \(text($0.value))" }.joined(separator: ", ")
        case .matrix(let series):
            "matrix " + series.map { "\(text($0.labels)) \(text($0))" }.joined(separator: ", ")
        }
    }
}
