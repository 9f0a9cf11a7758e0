internal import ByteCoding
internal import MetricModel

/// Taking a metric apart: the numbers of a summary or a classic histogram are series of their own.
extension ProtobufReader {
    /// Lists what the metric is read as.
    mutating func planParts() throws(ParseError) {
        parts.removeAll(keepingCapacity: true)
        nextPart = 0
        converted = nil
        switch type {
        case .summary:
            parts.append(.count)
            parts.append(.sum)
            for index in summary.quantiles.indices { parts.append(.quantile(index)) }
        case .histogram, .gaugeHistogram:
            if isNative {
                try checkSpans()
                parts.append(.native)
                if options.keepsClassicHistograms, !histogramFields.buckets.isEmpty { planClassic() }
                return
            }
            if !options.convertsClassicHistograms || options.keepsClassicHistograms { planClassic() }
            if options.convertsClassicHistograms { parts.append(.converted) }
        default: parts.append(.number(value))
        }
    }

    private mutating func planClassic() {
        parts.append(.count)
        parts.append(.sum)
        for index in histogramFields.buckets.indices {
            parts.append(.bucket(index))
            if histogramFields.buckets[index].upperBound == .infinity { return }
        }
        parts.append(.infinity)
    }

    private var isNative: Bool {
        !options.ignoresNativeHistograms
            && (!histogramFields.positiveSpans.isEmpty || !histogramFields.negativeSpans.isEmpty
                || (histogramFields.zeroThreshold ?? 0) > 0 || (histogramFields.zeroCount ?? 0) > 0)
    }

    private var isFloat: Bool {
        (histogramFields.countFloat ?? 0) > 0 || (histogramFields.zeroCountFloat ?? 0) > 0
    }

    private func checkSpans() throws(ParseError) {
        let fields = histogramFields
        let positive = isFloat ? fields.positiveCounts.count : fields.positiveDeltas.count
        let negative = isFloat ? fields.negativeCounts.count : fields.negativeDeltas.count
        for (side, spans, have) in [
            ("positive", fields.positiveSpans, positive), ("negative", fields.negativeSpans, negative),
        ] {
            let need = spans.reduce(0) { $0 &+ Int($1.length) }
            if need != have {
                throw .exposition(
                    "histogram \(Quoting.quote(decoder.text(familyName))): \(side) side: spans require \(need) "
                        + "buckets, have \(have)")
            }
        }
    }

    /// Makes ``part`` the entry that is read.
    mutating func preparePart() throws(ParseError) -> Entry {
        var entry = Entry.series
        switch part {
        case .number(let number): value = number
        case .count: value = type == .summary ? summary.count ?? 0 : classicCount
        case .sum: value = (type == .summary ? summary.sum : histogramFields.sum) ?? 0
        case .quantile(let index): value = summary.quantiles[index].value
        case .bucket(let index): value = bucketCount(index)
        case .infinity: value = classicCount
        case .native:
            histogram = nativeHistogram()
            entry = .histogram
        case .converted:
            histogram = try convertedHistogram()
            entry = .histogram
        }
        makeKey()
        try checkLabels()
        return entry
    }

    private var classicCount: Double {
        let float = histogramFields.countFloat ?? 0
        return float != 0 ? float : Double(histogramFields.count ?? 0)
    }

    private func bucketCount(_ index: Int) -> Double {
        let float = histogramFields.buckets[index].countFloat ?? 0
        return float != 0 ? float : Double(histogramFields.buckets[index].count ?? 0)
    }

    private func nativeHistogram() -> HistogramValue.NativePart {
        let fields = histogramFields
        let hint: CounterResetHint = type == .gaugeHistogram ? .gauge : .unknown
        if isFloat {
            var histogram = FloatHistogram(
                counterResetHint: hint, schema: fields.schema ?? 0, zeroThreshold: fields.zeroThreshold ?? 0,
                zeroCount: fields.zeroCountFloat ?? 0, count: fields.countFloat ?? 0, sum: fields.sum ?? 0,
                positiveSpans: fields.positiveSpans, positiveBuckets: fields.positiveCounts,
                negativeSpans: fields.negativeSpans, negativeBuckets: fields.negativeCounts)
            histogram.compact(maximumEmpty: 0)
            return .float(histogram)
        }
        var histogram = NativeHistogram(
            counterResetHint: hint, schema: fields.schema ?? 0, zeroThreshold: fields.zeroThreshold ?? 0,
            zeroCount: fields.zeroCount ?? 0, count: fields.count ?? 0, sum: fields.sum ?? 0,
            positiveSpans: fields.positiveSpans, positiveDeltas: fields.positiveDeltas,
            negativeSpans: fields.negativeSpans, negativeDeltas: fields.negativeDeltas)
        histogram.compact(maximumEmpty: 0)
        return .integer(histogram)
    }

    private mutating func convertedHistogram() throws(ParseError) -> HistogramValue.NativePart {
        converter.reset()
        converter.setCount(classicCount)
        converter.setSum(histogramFields.sum ?? 0)
        for index in histogramFields.buckets.indices {
            converter.setBucket(histogramFields.buckets[index].upperBound, bucketCount(index))
        }
        let result = try converter.convert()
        guard type == .gaugeHistogram else { return result }
        switch result {
        case .integer(var histogram):
            histogram.counterResetHint = .gauge
            return .integer(histogram)
        case .float(var histogram):
            histogram.counterResetHint = .gauge
            return .float(histogram)
        }
    }
}
