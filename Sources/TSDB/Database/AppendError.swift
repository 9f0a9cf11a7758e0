internal import ByteCoding
package import MetricModel

/// Why a sample, an exemplar or a series was not taken. The others of the batch are not touched by it.
///
/// Source: the texts of prometheus/prometheus storage/interface.go, storage/errors.go and tsdb/head_append.go.
package enum AppendError: Error, Sendable, Hashable {
    /// Older than the newest sample of its series, and there is no out-of-order window.
    case outOfOrder
    /// Older than all that the head takes, and there is no out-of-order window.
    case outOfBounds
    /// Older than the out-of-order window.
    case tooOld
    /// Another value for the time of the newest sample of the series.
    case duplicateFloat(timestamp: Timestamp, existing: Double, new: Double)
    /// A number for the time of a histogram.
    case duplicateFloatOverHistogram(timestamp: Timestamp, new: Double)
    /// Another histogram for the time of the newest sample of the series.
    case duplicateHistogram
    /// The reference belongs to no series (any more): append with labels.
    case unknownSeries(SeriesReference)
    /// An empty label set, or one with something in it that cannot be stored.
    case invalidLabels(String)
    /// The histogram contradicts itself.
    case invalidHistogram(String)
    /// The head has as many series as its options allow.
    case seriesLimit(Int)
    /// The start timestamp is not newer than what the series holds.
    case startTimestampOutOfOrder
    /// The start timestamp is not before the sample.
    case startTimestampNotBeforeSample
    /// The exemplar is older than the newest one of its series.
    case outOfOrderExemplar
    /// The labels of the exemplar have more than 128 characters.
    case exemplarLabelsTooLong
}

extension AppendError: CustomStringConvertible {
    /// Upstream's words.
    package var description: String {
        switch self {
        case .outOfOrder: "out of order sample"
        case .outOfBounds: "out of bounds"
        case .tooOld: "too old sample"
        case .duplicateFloat(let timestamp, let existing, let new):
            timestamp == 0
                ? "duplicate sample for timestamp"
                : "duplicate sample for timestamp \(timestamp); overrides not allowed: existing "
                    + "\(FloatText.string(existing, .general)), new value \(FloatText.string(new, .general))"
        case .duplicateFloatOverHistogram(let timestamp, let new):
            "duplicate sample for timestamp \(timestamp); overrides not allowed: existing is a histogram, new value "
                + FloatText.string(new, .general)
        case .duplicateHistogram: "duplicate sample for timestamp"
        case .unknownSeries(let reference): "unknown series reference \(reference.rawValue)"
        case .invalidLabels(let reason): "\(reason): invalid sample"
        case .invalidHistogram(let reason): reason
        case .seriesLimit(let limit): "the limit of \(limit) series in memory is reached"
        case .startTimestampOutOfOrder: "start timestamp out of order, ignoring"
        case .startTimestampNotBeforeSample: "ST is newer or the same as sample's timestamp, ignoring"
        case .outOfOrderExemplar: "out of order exemplar"
        case .exemplarLabelsTooLong: "label length for exemplar exceeds maximum of 128 UTF-8 characters"
        }
    }
}
