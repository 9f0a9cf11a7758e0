package import MetricModel

/// A series and its values as test scripts write them: `up{job="a"} 1+1x3 _ stale {{sum:3 count:2}}`.
///
/// Source of language and error texts: prometheus/prometheus promql/parser (`ParseSeriesDesc`).
package struct SeriesDescription: Sendable {
    /// One value of the sequence.
    package struct Value: Sendable {
        /// What the value is.
        package enum Sample: Sendable {
            case float(Double)
            // Apart, so that numbers do not take the room of histograms.
            indirect case histogram(FloatHistogram)
        }

        /// Nil for `_`: no sample at this step.
        package var sample: Sample?
        /// Whether a histogram's counter reset hint was written out, so that it is to be compared too.
        package var isHintGiven = false
    }

    package var labels: Labels
    package var values: [Value]

    /// How many values one description may have.
    package static let maximumValues = 1 << 22
}

extension Parser {
    /// Parses a series and its values.
    /// - Throws: The first error that upstream would report; also where there are more than
    ///   ``SeriesDescription/maximumValues``.
    package func parseSeriesDescription(_ text: ByteString) throws(ParseError) -> SeriesDescription {
        var parser = SyntaxParser(text, options: options, isSeriesDescription: true)
        return try parser.seriesDescription()
    }
}

extension SyntaxParser {
    fileprivate typealias Value = SeriesDescription.Value

    fileprivate mutating func seriesDescription() throws(ParseError) -> SeriesDescription {
        var description = SeriesDescription(labels: try metric(), values: [])
        if try peek().kind != .space, try peek().kind != .endOfInput { throw unexpectedInSeries() }
        while try peek().kind != .endOfInput {
            guard try take(.space) != nil else { throw unexpected(.none) }
            switch try peek().kind {
            case .space, .endOfInput: continue
            default: try item(into: &description.values)
            }
        }
        return description
    }

    private func unexpectedInSeries() -> ParseError { unexpected("series values", expected: "") }

    @discardableResult
    private mutating func expectInSeries(_ kind: TokenKind) throws(ParseError) -> Token {
        guard let token = try take(kind) else { throw unexpectedInSeries() }
        return token
    }

    // MARK: Items

    private mutating func item(into values: inout [Value]) throws(ParseError) {
        switch try peek().kind {
        case .blank:
            try take()
            let count = try repetitions() ?? 1
            try reserve(count, in: values)
            values.append(contentsOf: repeatElement(Value(), count: count))
        case .openHistogram: try histogramItem(into: &values)
        case .identifier, .number, .duration, .binary(.add), .binary(.subtract): try numberItem(into: &values)
        default: throw unexpected(.none)
        }
    }

    /// `x3`, if it comes next.
    private mutating func repetitions() throws(ParseError) -> Int? {
        try take(.times) == nil ? nil : try unsigned()
    }

    private mutating func unsigned() throws(ParseError) -> Int {
        let token = try expectInSeries(.number)
        switch NumberGrammar.unsigned(token.text) {
        case .success(let value): return Int(clamping: value)
        case .failure(let refusal):
            throw failure("invalid repetition in series values: \(refusal.message)", at: token.position)
        }
    }

    private func reserve(_ count: Int, in values: [Value]) throws(ParseError) {
        if count > SeriesDescription.maximumValues - values.count {
            throw failure("too many series values (limit \(SeriesDescription.maximumValues))", at: .zero)
        }
    }

    private mutating func numberItem(into values: inout [Value]) throws(ParseError) {
        var value = try seriesValue()
        var step: Double?
        if case .binary(let sign) = try peek().kind, sign == .add || sign == .subtract {
            step = try signedNumber()
            try expectInSeries(.times)
        } else if try take(.times) == nil {
            try reserve(1, in: values)
            values.append(Value(sample: .float(value)))
            return
        }
        // One more than the number says: the first stands for the beginning.
        let count = try unsigned()
        try reserve(count == .max ? count : count + 1, in: values)
        for _ in 0...count {
            values.append(Value(sample: .float(value)))
            if let step { value += step }
        }
    }

    private mutating func seriesValue() throws(ParseError) -> Double {
        guard let word = try take(.identifier) else { return try signedNumber() }
        if word.text != "stale" { throw unexpected("series values", expected: "number or \"stale\"") }
        return SampleValue.stale
    }

    /// A number, which may have a sign.
    private mutating func signedNumber() throws(ParseError) -> Double {
        let sign = try takeSign()?.0
        let value = try unsignedNumber()
        return sign == .minus ? -value : value
    }

    private mutating func unsignedNumber() throws(ParseError) -> Double {
        let token = try peek()
        guard token.kind == .number || token.kind == .duration else { throw unexpectedInSeries() }
        try take()
        return try self.value(of: token)
    }

    // MARK: Histograms

    private mutating func histogramItem(into values: inout [Value]) throws(ParseError) {
        var value = try histogram()
        let operation = try peek().kind
        guard operation == .binary(.add) || operation == .binary(.subtract) else {
            let count = try repetitions().map { $0 == .max ? $0 : $0 + 1 } ?? 1
            try reserve(count, in: values)
            values.append(contentsOf: repeatElement(value, count: count))
            return
        }
        try take()
        let step = try histogram()
        try expectInSeries(.times)
        let count = try unsigned()
        try reserve(count == .max ? count : count + 1, in: values)
        // As upstream: whether the hint counts is what the histogram written last says.
        value.isHintGiven = step.isHintGiven
        values.append(value)
        guard case .histogram(var current) = value.sample, case .histogram(let increment) = step.sample else { return }
        for _ in 0..<count {
            try combine(&current, increment, subtracts: operation == .binary(.subtract))
            values.append(Value(sample: .histogram(current), isHintGiven: step.isHintGiven))
        }
    }

    private func combine(
        _ histogram: inout FloatHistogram, _ increment: FloatHistogram, subtracts: Bool
    ) throws(ParseError) {
        if histogram.schema > increment.schema {
            throw unexpectedValue(
                "error combining histograms: cannot merge from schema \(increment.schema) to \(histogram.schema)")
        }
        do throws(HistogramError) {
            _ = subtracts ? try histogram.subtract(increment) : try histogram.add(increment)
        } catch {
            throw unexpectedValue(error.description)
        }
    }

    private mutating func histogram() throws(ParseError) -> Value {
        try expectInSeries(.openHistogram)
        var builder = HistogramBuilder()
        _ = try take(.space)
        var isFirst = true
        while try take(.closeHistogram) == nil {
            guard case .histogramKey(let key) = try peek().kind else { throw unexpectedInHistogram(isFirst) }
            try take()
            do throws(ParseError) {
                try expectInSeries(.colon)
                try field(key, into: &builder)
            } catch {
                // From the second key on, the list of keys says what it expected.
                throw isFirst || !error.message.hasPrefix("unexpected ") ? error : unexpectedInHistogram(false)
            }
            isFirst = false
            if try peek().kind != .closeHistogram, try take(.space) == nil { throw unexpectedInHistogram(false) }
        }
        return Value(sample: .histogram(builder.histogram), isHintGiven: builder.keys.contains(.counterResetHint))
    }

    private func unexpectedInHistogram(_ isFirst: Bool) -> ParseError {
        isFirst
            ? unexpectedInSeries()
            : unexpected(
                "histogram description", expected: "histogram description key, e.g. buckets:[5 10 7]")
    }

    private mutating func field(_ key: HistogramKey, into builder: inout HistogramBuilder) throws(ParseError) {
        let isRepeated = !builder.keys.insert(key).inserted
        switch key {
        case .schema: builder.histogram.schema = try integer()
        case .sum: builder.histogram.sum = try signedNumber()
        case .count: builder.histogram.count = try signedNumber()
        case .zeroBucket: builder.histogram.zeroCount = try signedNumber()
        case .zeroBucketWidth: builder.histogram.zeroThreshold = try unsignedNumber()
        case .customValues: builder.histogram.customValues = try numberList()
        case .buckets: builder.setPositive(try numberList())
        case .negativeBuckets: builder.setNegative(try numberList())
        case .offset: builder.setOffset(try integer())
        case .negativeOffset: builder.setNegativeOffset(try integer())
        case .counterResetHint:
            guard case .counterResetHint(let hint) = try peek().kind else { throw unexpectedInSeries() }
            try take()
            builder.histogram.counterResetHint = hint
        }
        if isRepeated { throw failure("duplicate key \"\(key.rawValue)\" in histogram", at: .zero) }
    }

    private mutating func integer() throws(ParseError) -> Int32 {
        let isNegative = try take(.binary(.subtract)) != nil
        let magnitude = Int32(truncatingIfNeeded: try unsigned())
        return isNegative ? 0 &- magnitude : magnitude
    }

    private mutating func numberList() throws(ParseError) -> [Double] {
        try expectInSeries(.leftBracket)
        var numbers: [Double] = [try signedNumber()]
        while try take(.rightBracket) == nil {
            switch try peek().kind {
            case .space:
                try take()
                if try peek().kind != .rightBracket { numbers.append(try signedNumber()) }
            case .endOfInput: throw unexpectedInSeries()
            // Upstream passes over what does not belong here.
            default: try take()
            }
        }
        return numbers
    }
}

/// A histogram whose parts come in any order.
private struct HistogramBuilder {
    var histogram = FloatHistogram()
    var keys: Set<HistogramKey> = []
    private var offset: Int32 = 0
    private var negativeOffset: Int32 = 0

    mutating func setPositive(_ buckets: [Double]) {
        histogram.positiveBuckets = buckets
        layOut()
    }

    mutating func setNegative(_ buckets: [Double]) {
        histogram.negativeBuckets = buckets
        layOut()
    }

    mutating func setOffset(_ offset: Int32) {
        self.offset = offset
        layOut()
    }

    mutating func setNegativeOffset(_ offset: Int32) {
        negativeOffset = offset
        layOut()
    }

    private mutating func layOut() {
        histogram.positiveSpans = Self.spans(offset, histogram.positiveBuckets)
        histogram.negativeSpans = Self.spans(negativeOffset, histogram.negativeBuckets)
    }

    private static func spans(_ offset: Int32, _ buckets: [Double]) -> [BucketSpan] {
        buckets.isEmpty ? [] : [BucketSpan(offset: offset, length: UInt32(truncatingIfNeeded: buckets.count))]
    }
}
