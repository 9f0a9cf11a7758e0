internal import ByteCoding

extension HistogramBucket: CustomStringConvertible {
    /// `(1,2]:3`: bounds with the brackets that tell which is inclusive, and the count.
    public var description: String {
        var text: [UInt8] = []
        append(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Appends ``description``.
    func append(to text: inout [UInt8], hasIntegerCounts: Bool = false) {
        text.append(lowerInclusive ? UInt8(ascii: "[") : UInt8(ascii: "("))
        FloatText.append(lower, .general, to: &text)
        text.append(UInt8(ascii: ","))
        FloatText.append(upper, .general, to: &text)
        text.append(upperInclusive ? UInt8(ascii: "]") : UInt8(ascii: ")"))
        text.append(UInt8(ascii: ":"))
        FloatText.append(count, hasIntegerCounts ? .fixed : .general, to: &text)
    }
}

extension FloatHistogram: CustomStringConvertible {
    /// `{count:3, sum:4.5, (1,2]:3}`: populated buckets from the lowest to the highest, as Prometheus prints it.
    ///
    /// Source: prometheus/prometheus model/histogram/float_histogram.go (`String`).
    public var description: String { String(decoding: text, as: UTF8.self) }

    /// ``description`` as bytes.
    public var text: [UInt8] { text(hasIntegerCounts: false) }

    /// ``description`` as bytes; whole counts, those of a ``NativeHistogram``, are written without an exponent.
    public func text(hasIntegerCounts: Bool) -> [UInt8] {
        var text = Array("{count:".utf8)
        FloatText.append(count, hasIntegerCounts ? .fixed : .general, to: &text)
        text += Array(", sum:".utf8)
        FloatText.append(sum, .general, to: &text)
        var below: [HistogramBucket] = []
        forEachNegativeBucket {
            if $0.count != 0 { below.append($0) }
            return true
        }
        for bucket in below.reversed() {
            text += [UInt8(ascii: ","), UInt8(ascii: " ")]
            bucket.append(to: &text, hasIntegerCounts: hasIntegerCounts)
        }
        if zeroCount != 0 {
            text += [UInt8(ascii: ","), UInt8(ascii: " ")]
            zeroBucket.append(to: &text, hasIntegerCounts: hasIntegerCounts)
        }
        forEachPositiveBucket {
            guard $0.count != 0 else { return true }
            text += [UInt8(ascii: ","), UInt8(ascii: " ")]
            $0.append(to: &text, hasIntegerCounts: hasIntegerCounts)
            return true
        }
        text.append(UInt8(ascii: "}"))
        return text
    }

    /// `{{schema:1 count:3 sum:4.5 buckets:[1 2]}}`: how PromQL's test scripts and rule tests write a histogram; the
    /// gaps between spans are written as empty buckets.
    ///
    /// Source: prometheus/prometheus model/histogram/float_histogram.go (`TestExpression`).
    public var testExpression: String {
        let compact = compacted(maximumEmpty: .max)
        func number(_ value: Double) -> String { FloatText.string(value, .general) }
        var parts: [String] = []
        if compact.schema != 0 { parts.append("schema:\(compact.schema)") }
        if compact.count != 0 { parts.append("count:\(number(compact.count))") }
        if compact.sum != 0 { parts.append("sum:\(number(compact.sum))") }
        if compact.zeroCount != 0 { parts.append("z_bucket:\(number(compact.zeroCount))") }
        if compact.zeroThreshold != 0 { parts.append("z_bucket_w:\(number(compact.zeroThreshold))") }
        if compact.usesCustomBuckets {
            parts.append("custom_values:[\(compact.customValues.map(number).joined(separator: " "))]")
        }
        switch compact.counterResetHint {
        case .unknown: break
        case .reset: parts.append("counter_reset_hint:reset")
        case .notReset: parts.append("counter_reset_hint:not_reset")
        case .gauge: parts.append("counter_reset_hint:gauge")
        }
        func add(_ buckets: [Double], _ spans: [BucketSpan], _ key: String, _ offsetKey: String) {
            if let first = spans.first, first.offset != 0 { parts.append("\(offsetKey):\(first.offset)") }
            if !buckets.isEmpty { parts.append("\(key):[\(buckets.map(number).joined(separator: " "))]") }
        }
        add(compact.positiveBuckets, compact.positiveSpans, "buckets", "offset")
        add(compact.negativeBuckets, compact.negativeSpans, "n_buckets", "n_offset")
        return "{{\(parts.joined(separator: " "))}}"
    }
}
