internal import MetricModel

/// An OTLP export request for metrics, as both of its encodings give it.
///
/// Source: opentelemetry-proto collector/metrics/v1/metrics_service.proto, metrics/v1/metrics.proto.
struct OTLPMessage {
    /// An attribute, its value as text.
    typealias Attribute = (key: ByteString, value: ByteString)

    struct Resource {
        var attributes: [Attribute] = []
        var scopes: [Scope] = []
    }

    struct Scope {
        var name: ByteString = ""
        var version: ByteString = ""
        var schemaURL: ByteString = ""
        var attributes: [Attribute] = []
        var metrics: [Metric] = []
    }

    enum Temporality: Int64 {
        case unspecified = 0
        case delta = 1
        case cumulative = 2
    }

    struct Metric {
        enum Data {
            case none
            case gauge([NumberPoint])
            case sum([NumberPoint], isMonotonic: Bool)
            case histogram([HistogramPoint])
            case exponentialHistogram([ExponentialPoint])
            case summary([SummaryPoint])
        }

        var name: ByteString = ""
        var help: ByteString = ""
        var unit: ByteString = ""
        var data = Data.none
        var temporality = Temporality.unspecified
    }

    /// What all points have.
    struct Point {
        var attributes: [Attribute] = []
        /// Nanoseconds since 1970; 0 where it is not given.
        var start: UInt64 = 0
        /// Nanoseconds since 1970.
        var time: UInt64 = 0
        var flags: UInt64 = 0
        var exemplars: [PointExemplar] = []

        /// Whether the point says that there is nothing to record any more.
        var hasNoValue: Bool { flags & 1 != 0 }
    }

    struct NumberPoint {
        var point = Point()
        var value = 0.0
    }

    struct HistogramPoint {
        var point = Point()
        var count: UInt64 = 0
        var sum: Double?
        var counts: [UInt64] = []
        var bounds: [Double] = []
    }

    struct ExponentialPoint {
        struct Buckets {
            var offset: Int32 = 0
            var counts: [UInt64] = []
        }

        var point = Point()
        var count: UInt64 = 0
        var sum: Double?
        var scale: Int32 = 0
        var zeroCount: UInt64 = 0
        var positive = Buckets()
        var negative = Buckets()
    }

    struct SummaryPoint {
        var point = Point()
        var count: UInt64 = 0
        var sum = 0.0
        var quantiles: [(quantile: Double, value: Double)] = []
    }

    struct PointExemplar {
        var attributes: [Attribute] = []
        var time: UInt64 = 0
        var value = 0.0
        /// Hexadecimal; empty where there is none.
        var traceID: ByteString = ""
        var spanID: ByteString = ""
    }

    var resources: [Resource] = []
}

/// A request that cannot be read.
struct OTLPFault: Error {
    let message: String
}
