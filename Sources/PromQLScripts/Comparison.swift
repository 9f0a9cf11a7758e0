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
        switch value {
        case .string(let found):
            if found != command.result.text {
                throw Mismatch("expected string \"\(command.result.text)\" but got \"\(found)\"\(place)")
            }
        case .scalar(let found):
            guard let expected = command.result.scalar else {
                throw Mismatch("expected vector or matrix result, but got \(Self.text(value))\(place)")
            }
            if !Self.areClose(found, expected) {
                throw Mismatch("expected scalar \(Self.text(expected)) but got \(Self.text(found))\(place)")
            }
        case .vector, .matrix:
            if command.isOrdered, case .matrix = value {
                throw Mismatch("expected ordered result, but query returned a matrix\(place)")
            }
            if command.result.scalar != nil {
                throw Mismatch("expected scalar result, but got \(Self.text(value))\(place)")
            }
            let seen = try checkSeries(value)
            for expected in command.result.series where !seen.contains(expected.description.labels) {
                throw Mismatch("expected metric \(Self.text(expected.description.labels)) not found\(place)")
            }
        }
    }

    /// The series that were found, all of them expected.
    private func checkSeries(_ value: ScriptAnswer.Value) throws(Mismatch) -> Set<Labels> {
        var seen: Set<Labels> = []
        switch value {
        case .string, .scalar: break
        case .vector(let samples):
            for (index, sample) in samples.enumerated() {
                try check(sample, at: index + 1)
                seen.insert(sample.labels)
            }
        case .matrix(let matrix):
            try checkOrder(matrix)
            for series in matrix {
                guard let expected = command.result.series(series.labels) else {
                    throw Mismatch(
                        "unexpected metric \(Self.text(series.labels)) in result, has \(Self.text(series))\(place)")
                }
                try check(series, expected.description)
                seen.insert(series.labels)
            }
        }
        return seen
    }

    private func check(_ sample: ScriptAnswer.Sample, at position: Int) throws(Mismatch) {
        let name = Self.text(sample.labels)
        guard let expected = command.result.series(sample.labels) else {
            throw Mismatch("unexpected metric \(name) in result, has value \(Self.text(sample.value))\(place)")
        }
        if command.isOrdered, expected.position != position {
            throw Mismatch("expected metric \(name) at position \(expected.position) but was at \(position)\(place)")
        }
        guard let value = expected.description.values.first else {
            throw Mismatch("no value is given for \(name), which is \(Self.text(sample.value))\(place)")
        }
        // As upstream: what is left out (`_`) is the number 0 for an instant.
        let wanted = value.sample ?? .float(0)
        if !Self.areClose(sample.value, wanted, comparesHint: value.isHintGiven) {
            throw Mismatch("expected \(Self.text(wanted)) for \(name) but got \(Self.text(sample.value))\(place)")
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
