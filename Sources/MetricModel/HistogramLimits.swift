/// How finely and with how many buckets native histograms are stored: what a scrape job's
/// `native_histogram_bucket_limit` and `native_histogram_min_bucket_factor` say.
///
/// Source: prometheus/prometheus scrape/target.go (`bucketLimitAppender`, `maxSchemaAppender`).
public struct HistogramLimits: Sendable, Hashable {
    /// Most buckets that are not empty spans; 0 for no limit.
    public var buckets: Int
    /// The finest exponential schema.
    public var maximumSchema: Int32

    private static let coarsestSchema: Int32 = -4
    private static let exponentialSchemas: ClosedRange<Int32> = -4...8

    /// Limits; by default none.
    public init(buckets: Int = 0, maximumSchema: Int32 = 8) {
        self.buckets = buckets
        self.maximumSchema = maximumSchema
    }

    /// Limits whose schema is the finest with buckets that grow by at least `factor`.
    ///
    /// Source: prometheus/prometheus scrape/scrape.go (`pickSchema`).
    public init(buckets: Int, minimumFactor factor: Double) {
        self.init(buckets: buckets, maximumSchema: Self.schema(forFactor: factor))
    }

    private static func schema(forFactor factor: Double) -> Int32 {
        let factor = factor <= 1 ? 1.00271 : factor
        for schema in exponentialSchemas.reversed() {
            // The growth factor of a schema is 2^(2^-schema).
            var growth = 2.0
            if schema > 0 {
                for _ in 0..<schema { growth = growth.squareRoot() }
            } else {
                for _ in 0..<(-schema) { growth *= growth }
            }
            if growth >= factor { return schema }
        }
        return coarsestSchema
    }

    /// The histogram with as fine and as many buckets as it may have; nil if it has too many even at the coarsest.
    /// - Throws: What ``FloatHistogram/reduceResolution(to:)`` does of a broken histogram.
    /// - Complexity: O(buckets) for each schema that is tried.
    public func fitted(_ histogram: HistogramValue.NativePart) throws(HistogramError) -> HistogramValue.NativePart? {
        switch histogram {
        case .integer(var integer):
            if FloatHistogram.reservedSchemas.contains(integer.schema), integer.schema > maximumSchema {
                try integer.reduceResolution(to: maximumSchema)
            }
            while isBeyond(integer.positiveDeltas.count, integer.negativeDeltas.count) {
                guard canBeCoarser(integer.schema) else { return nil }
                try integer.reduceResolution(to: integer.schema - 1)
            }
            return .integer(integer)
        case .float(var float):
            if FloatHistogram.reservedSchemas.contains(float.schema), float.schema > maximumSchema {
                try float.reduceResolution(to: maximumSchema)
            }
            while isBeyond(float.positiveBuckets.count, float.negativeBuckets.count) {
                guard canBeCoarser(float.schema) else { return nil }
                try float.reduceResolution(to: float.schema - 1)
            }
            return .float(float)
        }
    }

    private func isBeyond(_ positive: Int, _ negative: Int) -> Bool { buckets > 0 && positive + negative > buckets }

    private func canBeCoarser(_ schema: Int32) -> Bool {
        Self.exponentialSchemas.contains(schema) && schema > Self.coarsestSchema
    }
}
