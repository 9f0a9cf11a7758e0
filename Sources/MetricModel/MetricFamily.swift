/// All metrics of one name, as an exposition or a push carries them.
///
/// Source: the data model of prometheus/client_model io/prometheus/client/metrics.proto.
public struct MetricFamily: Sendable, Hashable {
    /// Without the suffixes of its samples (`_bucket`, `_sum`, `_count`).
    public var name: ByteString
    /// nil where no help was given, which is not the same as an empty help text.
    public var help: ByteString?
    /// As declared; ``MetricType/unknown`` where nothing was.
    public var type: MetricType
    /// The OpenMetrics unit, empty where none was given.
    public var unit: ByteString
    /// In the order of the input.
    public var metrics: [Metric]

    /// A family; metrics may be added later.
    public init(
        name: ByteString, help: ByteString? = nil, type: MetricType, unit: ByteString = "", metrics: [Metric] = []
    ) {
        self.name = name
        self.help = help
        self.type = type
        self.unit = unit
        self.metrics = metrics
    }
}

/// One labelled member of a family: a number, a summary or a histogram.
public struct Metric: Sendable, Hashable {
    /// Without the metric name, `le` and `quantile`.
    public var labels: [LabelPair]
    /// The number, summary or histogram.
    public var value: MetricValue
    /// Milliseconds, or nil.
    public var timestamp: Timestamp?

    /// A metric with `labels` in the order of the input.
    public init(labels: [LabelPair], value: MetricValue, timestamp: Timestamp? = nil) {
        self.labels = labels
        self.value = value
        self.timestamp = timestamp
    }
}

/// A label as it was given: unlike in ``Labels``, an empty value is kept, and order and repetition are the input's.
public struct LabelPair: Sendable, Hashable {
    /// May be any bytes; validity is checked where it matters.
    public var name: ByteString
    /// May be empty.
    public var value: ByteString

    /// A label.
    public init(_ name: ByteString, _ value: ByteString) {
        self.name = name
        self.value = value
    }
}

/// What a metric holds. The case follows the payload that was sent; the family's type says what it should be.
public enum MetricValue: Sendable, Hashable {
    case counter(CounterValue)
    case gauge(Double)
    case untyped(Double)
    indirect case summary(SummaryValue)
    indirect case histogram(HistogramValue)
}

/// A counter with what may come along.
public struct CounterValue: Sendable, Hashable {
    /// How far it has counted.
    public var value: Double
    /// An example behind the latest increment.
    public var exemplar: Exemplar?
    /// When counting began, in nanoseconds since 1970, or nil.
    public var created: Int64?

    /// A counter that stands at `value`.
    public init(_ value: Double, exemplar: Exemplar? = nil, created: Int64? = nil) {
        self.value = value
        self.exemplar = exemplar
        self.created = created
    }
}

/// Quantiles computed by the client, with sum and count.
public struct SummaryValue: Sendable, Hashable {
    /// A quantile (0 to 1) and its value.
    public struct Quantile: Sendable, Hashable {
        /// Which quantile, 0 to 1.
        public var quantile: Double
        /// Observations of that share lie at or below this.
        public var value: Double

        /// The `quantile` of what was observed is `value`.
        public init(_ quantile: Double, _ value: Double) {
            self.quantile = quantile
            self.value = value
        }
    }

    /// nil where it was not given.
    public var count: Double?
    /// Sum of all observations; nil where it was not given.
    public var sum: Double?
    /// In the order given.
    public var quantiles: [Quantile]
    /// When observing began, in nanoseconds since 1970, or nil.
    public var created: Int64?

    /// A summary.
    public init(count: Double? = nil, sum: Double? = nil, quantiles: [Quantile] = [], created: Int64? = nil) {
        self.count = count
        self.sum = sum
        self.quantiles = quantiles
        self.created = created
    }
}

/// A classic histogram, a native one, or both in one.
public struct HistogramValue: Sendable, Hashable {
    /// A classic bucket: all observations up to its bound.
    public struct Bucket: Sendable, Hashable {
        /// The bound itself falls into the bucket.
        public var upperBound: Double
        /// Cumulative.
        public var count: Double
        /// An example of an observation in this bucket.
        public var exemplar: Exemplar?

        /// `count` observations were at most `upperBound`.
        public init(upperBound: Double, count: Double, exemplar: Exemplar? = nil) {
            self.upperBound = upperBound
            self.count = count
            self.exemplar = exemplar
        }
    }

    /// nil where it was not given.
    public var count: Double?
    /// Sum of all observations; nil where it was not given.
    public var sum: Double?
    /// In the order given; +Inf may be missing.
    public var buckets: [Bucket]
    /// Whether counts came as floating-point numbers (a float histogram).
    public var hasFloatCounts: Bool
    /// The native part, if there is one.
    public var native: NativePart?
    /// Examples of a native histogram, which has no classic bucket to hang them on.
    public var exemplars: [Exemplar]
    /// When observing began, in nanoseconds since 1970, or nil.
    public var created: Int64?

    /// The native part in both of its forms.
    public enum NativePart: Sendable, Hashable {
        indirect case integer(NativeHistogram)
        indirect case float(FloatHistogram)
    }

    /// A histogram.
    public init(
        count: Double? = nil, sum: Double? = nil, buckets: [Bucket] = [], hasFloatCounts: Bool = false,
        native: NativePart? = nil, exemplars: [Exemplar] = [], created: Int64? = nil
    ) {
        self.count = count
        self.sum = sum
        self.buckets = buckets
        self.hasFloatCounts = hasFloatCounts
        self.native = native
        self.exemplars = exemplars
        self.created = created
    }
}
