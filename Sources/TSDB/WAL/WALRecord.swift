internal import MetricModel

/// What a record of a log holds: its first byte.
///
/// Source: prometheus/prometheus tsdb/docs/format/wal.md and tsdb/record/record.go (numbers).
enum WALRecordKind: UInt8, CaseIterable {
    case series = 1
    case samples = 2
    case tombstones = 3
    case exemplars = 4
    case chunkMarkers = 5
    case metadata = 6
    case histograms = 7
    case floatHistograms = 8
    case customBucketHistograms = 9
    case customBucketFloatHistograms = 10
    case samplesV2 = 11
    case histogramsV2 = 12
    case floatHistogramsV2 = 13

    /// The kinds that histograms are written as.
    static let histogramKinds: [WALRecordKind] = [
        .histograms, .customBucketHistograms, .floatHistograms, .customBucketFloatHistograms,
    ]
}

/// Rows of the records of a log, as decoded.
enum WALRow {
    struct Series {
        var reference: UInt64
        var labels: Labels
    }

    struct Sample {
        var reference: UInt64
        var timestamp: Timestamp
        var value: Double
        /// 0 where unknown.
        var start: Timestamp = 0
    }

    struct Histogram {
        var reference: UInt64
        var timestamp: Timestamp
        var histogram: HistogramSample
        var start: Timestamp = 0
    }

    struct Tombstone {
        var reference: UInt64
        var minimumTime: Timestamp
        var maximumTime: Timestamp
    }

    struct Exemplar {
        var reference: UInt64
        var timestamp: Timestamp
        var value: Double
        var labels: Labels
    }

    /// All out-of-order samples of the series up to here are in the mapped chunk.
    struct ChunkMarker {
        var reference: UInt64
        var chunk: UInt64
    }

    struct Metadata {
        var reference: UInt64
        var metadata: MetricMetadata
    }
}

/// A histogram in either of its forms.
enum HistogramSample: Sendable {
    case integer(NativeHistogram)
    case float(FloatHistogram)

    var isStale: Bool {
        switch self {
        case .integer(let histogram): histogram.isStale
        case .float(let histogram): histogram.isStale
        }
    }

    var usesCustomBuckets: Bool {
        switch self {
        case .integer(let histogram): histogram.usesCustomBuckets
        case .float(let histogram): histogram.usesCustomBuckets
        }
    }

    var isFloat: Bool {
        switch self {
        case .integer: false
        case .float: true
        }
    }
}

/// A record that cannot be decoded.
struct WALRecordError: Error {
    var reason: String
}
