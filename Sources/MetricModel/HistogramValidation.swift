internal import ByteCoding

/// Checks of spans and bounds that both kinds of histogram share.
///
/// Source: prometheus/prometheus model/histogram/generic.go.
enum SpanValidation {
    static func check(_ spans: [BucketSpan], buckets: Int) throws(HistogramError) {
        var needed = 0
        for (number, span) in spans.enumerated() {
            if number > 0 && span.offset < 0 {
                throw .negativeSpanOffset(span: number + 1, offset: span.offset)
            }
            needed += Int(span.length)
        }
        guard needed == buckets else {
            throw .spansBucketsMismatch("spans need \(needed) buckets, have \(buckets) buckets")
        }
    }

    static func checkCustom(_ bounds: [Double], _ spans: [BucketSpan], buckets: Int) throws(HistogramError) {
        var previous = -Double.infinity
        for (number, bound) in bounds.enumerated() {
            if bound.isNaN { throw .customBoundsNaN }
            if number > 0 && bound <= previous {
                throw .customBoundsInvalid(previous: sixDecimals(previous), current: sixDecimals(bound))
            }
            previous = bound
        }
        if previous == .infinity { throw .customBoundsInfinite }
        var needed = 0
        var length = 0
        for (number, span) in spans.enumerated() {
            if span.offset < 0 { throw .negativeSpanOffset(span: number + 1, offset: span.offset) }
            needed += Int(span.length)
            length += Int(span.length) + Int(span.offset)
        }
        guard needed == buckets else {
            throw .spansBucketsMismatch("spans need \(needed) buckets, have \(buckets) buckets")
        }
        guard bounds.count + 1 >= length else {
            throw .customBoundsTooFew(bounds: bounds.count, spanLength: length)
        }
    }

    /// `side` is added to what `body` throws.
    static func at(_ side: String, _ body: () throws(HistogramError) -> Void) throws(HistogramError) {
        do throws(HistogramError) { try body() } catch { throw .at(side: side, inner: error) }
    }

    /// A number as `%f` prints it.
    static func sixDecimals(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "+Inf" : "-Inf" }
        guard value.magnitude < 1e12 else { return "\(value)" }
        let scaled = (value.magnitude * 1e6).rounded(.toNearestOrEven)
        let whole = Int64(scaled) / 1_000_000
        let rest = String(Int64(scaled) % 1_000_000)
        let zeros = String(repeating: "0", count: max(0, 6 - rest.count))
        return "\(value < 0 ? "-" : "")\(whole).\(zeros)\(rest)"
    }
}

extension FloatHistogram {
    /// Checks that spans, buckets and bounds fit each other and that no count is negative. Whether the count is that
    /// of the buckets is not checked, as floating-point sums need not agree.
    ///
    /// Source: prometheus/prometheus model/histogram/float_histogram.go (`Validate`).
    public func validate() throws(HistogramError) {
        if usesCustomBuckets {
            try SpanValidation.at("custom buckets") { () throws(HistogramError) in
                try SpanValidation.checkCustom(customValues, positiveSpans, buckets: positiveBuckets.count)
            }
            if zeroCount != 0 { throw .customBucketsZeroCount }
            if zeroThreshold != 0 { throw .customBucketsZeroThreshold }
            if !negativeSpans.isEmpty { throw .customBucketsNegativeSpans }
            if !negativeBuckets.isEmpty { throw .customBucketsNegativeBuckets }
        } else if Self.exponentialSchemas.contains(schema) {
            try SpanValidation.at("positive side") { () throws(HistogramError) in
                try SpanValidation.check(positiveSpans, buckets: positiveBuckets.count)
            }
            try SpanValidation.at("negative side") { () throws(HistogramError) in
                try SpanValidation.check(negativeSpans, buckets: negativeBuckets.count)
                try Self.check(negativeBuckets)
            }
            if zeroCount < 0 {
                throw .negativeBucketCount(
                    site: "zero bucket has observation count of \(FloatText.string(zeroCount, .general))")
            }
            if !customValues.isEmpty { throw .exponentialWithCustomBounds }
        } else {
            throw .invalidSchema(schema)
        }
        if count < 0 { throw .negativeCount(FloatText.string(count, .general)) }
        try SpanValidation.at("positive side") { () throws(HistogramError) in try Self.check(positiveBuckets) }
    }

    private static func check(_ buckets: [Double]) throws(HistogramError) {
        for (number, count) in buckets.enumerated() where count < 0 {
            let text = FloatText.string(count, .general)
            throw .negativeBucketCount(site: "bucket number \(number + 1) has observation count of \(text)")
        }
    }
}

extension NativeHistogram {
    /// Checks that spans, buckets, bounds and counts fit each other and that no count is negative.
    ///
    /// Source: prometheus/prometheus model/histogram/histogram.go (`Validate`).
    public func validate() throws(HistogramError) {
        var inBuckets: UInt64 = zeroCount
        if usesCustomBuckets {
            try SpanValidation.at("custom buckets") { () throws(HistogramError) in
                try SpanValidation.checkCustom(customValues, positiveSpans, buckets: positiveDeltas.count)
            }
            if zeroCount != 0 { throw .customBucketsZeroCount }
            if zeroThreshold != 0 { throw .customBucketsZeroThreshold }
            if !negativeSpans.isEmpty { throw .customBucketsNegativeSpans }
            if !negativeDeltas.isEmpty { throw .customBucketsNegativeBuckets }
        } else if FloatHistogram.exponentialSchemas.contains(schema) {
            try SpanValidation.at("positive side") { () throws(HistogramError) in
                try SpanValidation.check(positiveSpans, buckets: positiveDeltas.count)
            }
            try SpanValidation.at("negative side") { () throws(HistogramError) in
                try SpanValidation.check(negativeSpans, buckets: negativeDeltas.count)
                try Self.count(negativeDeltas, into: &inBuckets)
            }
            if !customValues.isEmpty { throw .exponentialWithCustomBounds }
        } else {
            throw .invalidSchema(schema)
        }
        try SpanValidation.at("positive side") { () throws(HistogramError) in
            try Self.count(positiveDeltas, into: &inBuckets)
        }
        if sum.isNaN {
            if inBuckets > count { throw .countNotBigEnough(inBuckets: inBuckets, count: count) }
        } else if inBuckets != count {
            throw .countMismatch(inBuckets: inBuckets, count: count)
        }
    }

    private static func count(_ deltas: [Int64], into total: inout UInt64) throws(HistogramError) {
        var current: Int64 = 0
        for (number, delta) in deltas.enumerated() {
            current = current &+ delta
            if current < 0 {
                throw .negativeBucketCount(site: "bucket number \(number + 1) has observation count of \(current)")
            }
            total = total &+ UInt64(current)
        }
    }
}
