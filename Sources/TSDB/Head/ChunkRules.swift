package import MetricModel

/// What kind of samples a chunk holds.
enum SampleKind: UInt8, Sendable {
    case none, float, histogram, floatHistogram
}

/// A chunk that takes no more samples, still in memory.
package struct FullChunk: Sendable {
    /// Of its first sample.
    package var minimumTime: Timestamp
    /// Of its last sample.
    package var maximumTime: Timestamp
    /// Encoding and data.
    package var chunk: Chunk
}

/// A chunk in a file of `chunks_head`.
struct MappedChunk: Sendable {
    var minimumTime: Timestamp
    var maximumTime: Timestamp
    /// File number in the upper, offset in the lower four bytes.
    var reference: UInt64
    var sampleCount: UInt32

    /// The number of its file.
    var fileNumber: Int { Int(reference >> 32) }
}

/// How samples are put into chunks.
struct ChunkRules: Sendable {
    /// Milliseconds: chunks never cross a multiple of it. 0: they may.
    var range: Int64
    var samplesPerChunk: Int
    /// Whether new chunks of numbers are of the encoding XOR2.
    var usesXOR2 = false
    /// Whether new chunks of histograms keep start timestamps.
    var encodesHistogramStarts = false
    /// Whether start timestamps are kept: a chunk that has no place for them then ends.
    var storesStarts = false

    /// The first moment of the next range.
    func end(of timestamp: Timestamp) -> Timestamp {
        guard range > 0 else { return .max }
        let sum = ((timestamp / range) &* range).addingReportingOverflow(range)
        return sum.overflow ? .max : sum.partialValue
    }

    /// Where to end a chunk that is `1/ratio` full, so that the chunks of the range get the same size.
    ///
    /// Source: prometheus/prometheus tsdb/head_append.go (`computeChunkEndTime`).
    static func plannedEnd(start: Timestamp, current: Timestamp, limit: Timestamp, ratio: Double) -> Timestamp {
        let span = Double(limit) - Double(start)
        let number = span / ((Double(current) - Double(start) + 1) * ratio)
        guard number > 1 else { return limit }
        return Int64(exactly: (Double(start) + span / number.rounded(.down)).rounded(.towardZero)) ?? limit
    }
}

/// The times that an append is held against.
struct AppendLimits: Sendable {
    /// Samples in order must not be older.
    var minimumValidTime: Timestamp
    /// Newest sample of the head.
    var headMaximumTime: Timestamp
    /// Milliseconds behind it that are still taken out of order; 0 for none.
    var outOfOrderWindow: Int64

    /// Whether `timestamp` is within the out-of-order window.
    func takesOutOfOrder(_ timestamp: Timestamp) -> Bool {
        guard outOfOrderWindow > 0 else { return false }
        let limit = headMaximumTime.subtractingReportingOverflow(outOfOrderWindow)
        return timestamp >= (limit.overflow ? .min : limit.partialValue)
    }

    /// Why a sample that is neither in order nor in the window is refused.
    func refusal(_ timestamp: Timestamp) -> AppendError {
        if outOfOrderWindow > 0 { return .tooOld }
        return timestamp < minimumValidTime ? .outOfBounds : .outOfOrder
    }
}

/// Where a sample goes.
enum AppendVerdict {
    case inOrder
    /// The newest sample again: taken, and nothing is stored.
    case repeated
    case outOfOrder
    case refused(AppendError)
}

extension HistogramSample {
    /// Whether both hold the same numbers, whatever is known about resets.
    func isSameData(as other: HistogramSample) -> Bool {
        if isStale || other.isStale { return isStale && other.isStale && isFloat == other.isFloat }
        switch (self, other) {
        case (.integer(let left), .integer(let right)): return left.isSameData(as: right)
        case (.float(let left), .float(let right)): return left.isSameData(as: right)
        default: return false
        }
    }

    var kind: SampleKind { isFloat ? .floatHistogram : .histogram }

    /// The staleness marker of a kind of histograms; nil for numbers.
    static func stale(_ kind: SampleKind) -> HistogramSample? {
        switch kind {
        case .histogram: .integer(NativeHistogram(sum: SampleValue.stale))
        case .floatHistogram: .float(FloatHistogram(sum: SampleValue.stale))
        case .none, .float: nil
        }
    }
}
