package import MetricModel

/// What became of a histogram handed to a ``HistogramAppender``.
package enum HistogramAppendOutcome: Sendable {
    /// It is in the chunk.
    case appended
    /// It is in the chunk, whose earlier samples were written anew with more buckets.
    case recoded
    /// It could not go into the chunk: `finished` is that chunk, the appender now writes a new one that begins with
    /// the histogram.
    case cut(finished: Chunk)
}

/// Appends native histograms to chunks: ``ChunkEncoding/histogram``, ``ChunkEncoding/floatHistogram`` and their
/// variants with start timestamps.
///
/// All samples of a chunk have the same schema, zero threshold, custom bounds and buckets. Counters never shrink
/// within a chunk. A histogram with other buckets makes the chunk be recoded, or is given the chunk's empty ones.
/// Source: prometheus/prometheus tsdb/chunkenc/histogram.go (`AppendHistogram`) and float_histogram.go.
package struct HistogramAppender<Histogram: ChunkHistogram>: Sendable {
    private var writer: BitWriter
    private var layout = HistogramLayout()
    private var coder = Histogram.Coder()
    private var start = StartTimestampCoder()
    private var count = 0
    private var hint = CounterResetHint.unknown
    private let storesStart: Bool

    /// Chunks are cut when they reach about this size …
    package static var targetBytes: Int { 1024 }
    /// … but not with fewer samples than this, except at the end of a chunk range.
    package static var minimumSamples: Int { 10 }

    /// An empty chunk.
    package init(startTimestamps: Bool = false) {
        storesStart = startTimestamps
        writer = BitWriter(headerSize: 3)
    }

    /// Goes on with `chunk`.
    /// - Throws: ``ChunkError`` if its samples cannot be read, or are not of this kind.
    package init(resuming chunk: Chunk) throws(ChunkError) {
        self = try chunk.withUnsafeBytes { (bytes) throws(ChunkError) in
            var decoder = try HistogramDecoder<Histogram>(chunk.encoding, bytes)
            while try decoder.next() {}
            var appender = HistogramAppender(startTimestamps: decoder.storesStart)
            guard decoder.read > 0 else { return appender }
            appender.writer = BitWriter(continuing: bytes, bitCount: decoder.reader.position)
            appender.layout = decoder.layout
            appender.coder = decoder.coder
            appender.coder.becomeAppender()
            appender.start = decoder.start
            appender.count = decoder.read
            appender.hint = ChunkHeader.counterReset(bytes, chunk.encoding)
            return appender
        }
    }

    /// How the chunk is coded.
    package var encoding: ChunkEncoding { Histogram.encoding(startTimestamps: storesStart) }

    /// Number of samples.
    package var sampleCount: Int { count }

    /// Length of the data.
    package var byteCount: Int { writer.byteCount }

    /// Time of the last sample; meaningless while empty.
    package var lastTimestamp: Timestamp { coder.timestamp }

    /// What the header says about a reset before the first sample.
    package var counterReset: CounterResetHint { hint }

    /// A snapshot: O(1) now, one copy of the data at the next append.
    package var chunk: Chunk { writer.chunk(encoding) }

    /// Samples that fit in the header's count.
    private var capacity: Int { storesStart ? 0x3FFF : 0xFFFF }

    /// Appends `histogram`.
    /// - Parameters:
    ///   - timestamp: Later than all before; the caller sees to that.
    ///   - histogram: Taken as valid; if it has more or fewer buckets than its spans say, it is cut or padded.
    ///   - startTimestamp: 0 if not known; ignored by encodings without start timestamps.
    ///   - previous: The appender of the chunk before, to find out about a reset between the two; used only for the
    ///     first sample of a chunk.
    /// - Complexity: O(buckets); O(samples · buckets) when the chunk is recoded.
    package mutating func append(
        _ timestamp: Timestamp, _ histogram: Histogram, startTimestamp: Timestamp = 0,
        previous: HistogramAppender? = nil
    ) -> HistogramAppendOutcome {
        var histogram = Self.wellFormed(histogram)
        guard count > 0 else {
            write(timestamp, histogram, startTimestamp)
            setHint(firstHint(histogram, previous))
            return .appended
        }
        let isGauge = histogram.counterResetHint == .gauge
        let fit = isGauge ? fitGauge(histogram) : fitCounter(histogram)
        switch fit {
        case .no(let reset) where isGauge:
            _ = reset
            return cut(timestamp, histogram, startTimestamp, hint: .gauge)
        case .no(let reset):
            return cut(timestamp, histogram, startTimestamp, hint: reset)
        case .asIs:
            guard count < capacity else { return cut(timestamp, histogram, startTimestamp, hint: hint) }
            write(timestamp, histogram, startTimestamp)
            return .appended
        case .widened(let widening):
            guard count < capacity else { return cut(timestamp, histogram, startTimestamp, hint: hint) }
            widening.apply(to: &histogram)
            guard widening.changesChunk else {
                write(timestamp, histogram, startTimestamp)
                return .appended
            }
            guard let recoded = recoded(widening) else {
                return cut(timestamp, histogram, startTimestamp, hint: hint == .gauge ? .gauge : .unknown)
            }
            self = recoded
            write(timestamp, histogram, startTimestamp)
            return .recoded
        }
    }

    // MARK: Whether a histogram fits

    private enum Fit {
        case asIs
        case widened(Widening)
        /// With what is known about a reset.
        case no(CounterResetHint)
    }

    /// New spans for both the chunk and the histogram.
    private struct Widening {
        var oldPositive: [Int]
        var oldNegative: [Int]
        var positiveSpans: [BucketSpan]
        var negativeSpans: [BucketSpan]
        var positive: [Int]
        var negative: [Int]
        var changesChunk: Bool

        func apply(to histogram: inout Histogram) {
            let zero = Histogram.noObservations
            let positiveIndices = BucketLayout.indices(histogram.positiveSpans)
            let negativeIndices = BucketLayout.indices(histogram.negativeSpans)
            let positives = BucketLayout.spread(
                histogram.positiveCounts, from: positiveIndices, to: positive, zero: zero)
            let negatives = BucketLayout.spread(
                histogram.negativeCounts, from: negativeIndices, to: negative, zero: zero)
            histogram.positiveSpans = positiveSpans
            histogram.negativeSpans = negativeSpans
            histogram.positiveCounts = positives
            histogram.negativeCounts = negatives
        }
    }

    private func fitCounter(_ histogram: Histogram) -> Fit {
        if count > 0 && hint == .gauge { return .no(.notReset) }
        if histogram.counterResetHint == .reset { return .no(.reset) }
        if SampleValue.isStale(histogram.sum) { return .asIs }
        if SampleValue.isStale(coder.sum) { return .no(.unknown) }
        let shrunk = coder.shrinks(to: histogram)
        if shrunk.count { return .no(.reset) }
        if histogram.schema != layout.schema || histogram.zeroThreshold != layout.zeroThreshold { return .no(.unknown) }
        if !customBoundsMatch(histogram) || shrunk.zeroCount { return .no(.reset) }
        if layout.positiveSpans == histogram.positiveSpans && layout.negativeSpans == histogram.negativeSpans {
            return coder.bucketsShrink(to: histogram) ? .no(.reset) : .asIs
        }
        let last = coder.histogram(layout, hint: .unknown)
        let positive = BucketLayout.indices(layout.positiveSpans)
        let negative = BucketLayout.indices(layout.negativeSpans)
        let newPositive = BucketLayout.indices(histogram.positiveSpans)
        let newNegative = BucketLayout.indices(histogram.negativeSpans)
        let zero = Histogram.noObservations
        guard
            BucketLayout.continues(
                last.positiveCounts, at: positive, into: histogram.positiveCounts, at: newPositive, zero: zero),
            BucketLayout.continues(
                last.negativeCounts, at: negative, into: histogram.negativeCounts, at: newNegative, zero: zero)
        else { return .no(.reset) }
        return widening(positive, negative, newPositive, newNegative, histogram)
    }

    private func fitGauge(_ histogram: Histogram) -> Fit {
        if hint != .gauge { return .no(.gauge) }
        if SampleValue.isStale(histogram.sum) { return .asIs }
        if SampleValue.isStale(coder.sum) || histogram.schema != layout.schema
            || histogram.zeroThreshold != layout.zeroThreshold || !customBoundsMatch(histogram)
        {
            return .no(.gauge)
        }
        return widening(
            BucketLayout.indices(layout.positiveSpans), BucketLayout.indices(layout.negativeSpans),
            BucketLayout.indices(histogram.positiveSpans), BucketLayout.indices(histogram.negativeSpans), histogram)
    }

    private func widening(
        _ positive: [Int], _ negative: [Int], _ newPositive: [Int], _ newNegative: [Int], _ histogram: Histogram
    ) -> Fit {
        if positive == newPositive && negative == newNegative { return .asIs }
        let allPositive = BucketLayout.union(positive, newPositive)
        let allNegative = BucketLayout.union(negative, newNegative)
        // Spans as given where they already cover everything: upstream keeps them so.
        func spans(_ all: [Int], _ old: [Int], _ given: [Int], _ oldSpans: [BucketSpan], _ givenSpans: [BucketSpan])
            -> [BucketSpan]
        { all == old ? oldSpans : all == given ? givenSpans : BucketLayout.spans(all) }
        return .widened(
            Widening(
                oldPositive: positive, oldNegative: negative,
                positiveSpans: spans(
                    allPositive, positive, newPositive, layout.positiveSpans, histogram.positiveSpans),
                negativeSpans: spans(
                    allNegative, negative, newNegative, layout.negativeSpans, histogram.negativeSpans),
                positive: allPositive, negative: allNegative,
                changesChunk: allPositive != positive || allNegative != negative))
    }

    private func customBoundsMatch(_ histogram: Histogram) -> Bool {
        histogram.schema != FloatHistogram.customBucketsSchema || histogram.customValues == layout.customValues
    }

    // MARK: Writing

    private func firstHint(_ histogram: Histogram, _ previous: HistogramAppender?) -> CounterResetHint {
        if histogram.counterResetHint == .gauge { return .gauge }
        if histogram.counterResetHint == .reset { return .reset }
        guard let previous else { return .unknown }
        switch previous.fitCounter(histogram) {
        case .asIs, .widened: return .notReset
        case .no(.reset): return .reset
        case .no(let hint): return Histogram.reportsUnknownResets ? hint : .notReset
        }
    }

    private mutating func cut(
        _ timestamp: Timestamp, _ histogram: Histogram, _ startTimestamp: Timestamp, hint: CounterResetHint
    ) -> HistogramAppendOutcome {
        let finished = chunk
        self = HistogramAppender(startTimestamps: storesStart)
        write(timestamp, histogram, startTimestamp)
        let known = Histogram.reportsUnknownResets || hint == .reset || hint == .gauge
        setHint(known ? hint : .unknown)
        return .cut(finished: finished)
    }

    private mutating func write(_ timestamp: Timestamp, _ given: Histogram, _ startTimestamp: Timestamp) {
        let histogram = SampleValue.isStale(given.sum) ? Histogram.stale : given
        let previous = coder.timestamp
        if count == 0 {
            layout = HistogramLayout()
            layout.schema = histogram.schema
            layout.zeroThreshold = histogram.zeroThreshold
            layout.positiveSpans = histogram.positiveSpans
            layout.negativeSpans = histogram.negativeSpans
            layout.customValues = histogram.customValues
            layout.write(to: &writer)
            coder.writeFirst(timestamp, histogram, to: &writer)
        } else {
            coder.writeNext(timestamp, histogram, to: &writer)
        }
        if storesStart,
            start.write(startTimestamp, index: count, timestamp: timestamp, previous: previous, to: &writer)
        {
            writer.setByte(start.header, at: 2)
        }
        count += 1
        writeCount()
    }

    private mutating func writeCount() {
        let upper = UInt8(truncatingIfNeeded: count >> 8)
        writer.setByte(storesStart ? upper & 0x3F | ChunkHeader.bits(hint) : upper, at: 0)
        writer.setByte(UInt8(truncatingIfNeeded: count), at: 1)
    }

    private mutating func setHint(_ new: CounterResetHint) {
        hint = new
        if !storesStart { writer.setByte(ChunkHeader.bits(new), at: 2) }
        writeCount()
    }

    /// The chunk written anew with more buckets; nil if it cannot be read, which only damage in memory explains.
    private func recoded(_ widening: Widening) -> HistogramAppender? {
        var result = HistogramAppender(startTimestamps: storesStart)
        let zero = Histogram.noObservations
        do {
            try chunk.withUnsafeBytes { (bytes) throws(ChunkError) in
                var decoder = try HistogramDecoder<Histogram>(encoding, bytes)
                while try decoder.next() {
                    var old = decoder.histogram
                    if !SampleValue.isStale(old.sum) || result.count == 0 {
                        let positives = BucketLayout.spread(
                            old.positiveCounts, from: widening.oldPositive, to: widening.positive, zero: zero)
                        let negatives = BucketLayout.spread(
                            old.negativeCounts, from: widening.oldNegative, to: widening.negative, zero: zero)
                        old.positiveSpans = widening.positiveSpans
                        old.negativeSpans = widening.negativeSpans
                        old.positiveCounts = positives
                        old.negativeCounts = negatives
                    }
                    result.write(decoder.timestamp, old, decoder.startTimestamp)
                }
            }
        } catch {
            return nil
        }
        result.setHint(hint)
        return result
    }

    /// A histogram whose bucket values are as many as its spans say.
    private static func wellFormed(_ histogram: Histogram) -> Histogram {
        let positives = BucketLayout.count(histogram.positiveSpans)
        let negatives = BucketLayout.count(histogram.negativeSpans)
        if positives == histogram.positiveCount && negatives == histogram.negativeCount { return histogram }
        var result = histogram
        let given = [histogram.positiveCounts, histogram.negativeCounts]
        // Spans without values describe nothing; cutting both to what there is keeps the allocation bounded.
        if given[0].count < positives {
            result.positiveSpans = BucketLayout.trimmed(histogram.positiveSpans, to: given[0].count)
        } else {
            result.positiveCounts = Array(given[0].prefix(positives))
        }
        if given[1].count < negatives {
            result.negativeSpans = BucketLayout.trimmed(histogram.negativeSpans, to: given[1].count)
        } else {
            result.negativeCounts = Array(given[1].prefix(negatives))
        }
        return result
    }
}

extension BucketLayout {
    /// The first `count` buckets of `spans`.
    static func trimmed(_ spans: [BucketSpan], to count: Int) -> [BucketSpan] {
        var left = count
        var result: [BucketSpan] = []
        for span in spans where left > 0 {
            let length = min(left, Int(span.length))
            result.append(BucketSpan(offset: span.offset, length: UInt32(length)))
            left -= length
        }
        return result
    }
}
