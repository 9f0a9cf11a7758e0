extension FloatHistogram {
    /// The lowest and highest schema of exponential buckets that are worked with.
    public static let exponentialSchemas: ClosedRange<Int32> = -4...8

    /// Schemas that may arrive and are reduced to ``exponentialSchemas``.
    public static let reservedSchemas: ClosedRange<Int32> = -9...52

    /// The upper bound of the positive exponential bucket `index`; the last before the one for infinities ends at
    /// the greatest finite number.
    ///
    /// Source: prometheus/prometheus model/histogram/generic.go (`getBoundExponential`).
    /// - Complexity: O(1).
    public static func exponentialBound(_ index: Int32, schema: Int32) -> Double {
        let fraction: Double
        let exponent: Int
        if schema < 0 {
            fraction = 1
            exponent = Int(index) << Int(min(-schema, 16))
            if exponent == 1024 { return .greatestFiniteMagnitude }
        } else {
            let schema = min(schema, 8)
            let within = Int(index) & ((1 << Int(schema)) - 1)
            fraction = fractions[within << Int(8 - schema)]
            exponent = (Int(index) >> Int(schema)) + 1
            if fraction == 0.5 && exponent == 1025 { return .greatestFiniteMagnitude }
        }
        // Powers beyond a double's range are infinite or zero; the clamp keeps the power within two steps of it.
        return Double(sign: .plus, exponent: max(-2200, min(2200, exponent)), significand: fraction)
    }

    /// The upper bound of bucket `index` by `schema`; outside of the custom bounds, an infinity.
    static func bound(_ index: Int32, schema: Int32, customValues: [Double]) -> Double {
        guard schema == customBucketsSchema else { return exponentialBound(index, schema: schema) }
        if index < 0 { return -.infinity }
        return Int(index) < customValues.count ? customValues[Int(index)] : .infinity
    }

    /// The index that bucket `index` of `origin` has in the lower schema `target`.
    static func targetIndex(_ index: Int32, origin: Int32, target: Int32) -> Int32 {
        ((index &- 1) >> (origin &- target)) &+ 1
    }

    /// The bounds that both lists have.
    static func intersection(_ left: [Double], _ right: [Double]) -> [Double] {
        var result: [Double] = []
        var i = 0
        var j = 0
        while i < left.count && j < right.count {
            if left[i] == right[j] {
                result.append(left[i])
                i += 1
                j += 1
            } else if left[i] < right[j] {
                i += 1
            } else {
                j += 1
            }
        }
        return result
    }
}
