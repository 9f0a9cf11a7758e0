package import Matching
package import MetricModel

/// What the series of a block have most of: churn and cardinality of labels.
///
/// Source: prometheus/prometheus cmd/promtool/tsdb.go (`analyzeBlock`).
package struct BlockAnalysis: Sendable {
    /// A label, pair or metric, and how much of it there is.
    package struct Entry: Sendable {
        /// Its text.
        package var key: ByteString
        /// How much.
        package var count: UInt64
    }

    /// Of the block.
    package let meta: BlockMeta
    /// Series that fulfil the matchers.
    package private(set) var seriesCount = 0
    /// Different pairs of name and value.
    package var pairCount: Int { commonPairs.count }
    /// Pairs of all series together.
    package private(set) var entryCount = 0
    /// Different label names.
    package private(set) var labelNameCount = 0
    /// By how much of the block's time their series do not cover, in series.
    package private(set) var churningPairs: [Entry] = []
    /// The same by names.
    package private(set) var churningNames: [Entry] = []
    /// By series.
    package private(set) var commonPairs: [Entry] = []
    /// By bytes of all values together.
    package private(set) var longestNames: [Entry] = []
    /// By number of values.
    package private(set) var variedNames: [Entry] = []
    /// By series.
    package private(set) var largestMetrics: [Entry] = []

    private struct PairCount {
        var series: UInt64 = 0
        var uncovered: UInt64 = 0
    }

    /// Looks at the series of `block` that fulfil `matchers`.
    /// - Complexity: O(label pairs of the series).
    package init(_ block: Block, _ matchers: [Matcher] = []) throws(StoreError) {
        meta = block.meta
        let length = UInt64(bitPattern: meta.maximumTime &- meta.minimumTime)
        var names: [ByteString: UInt64] = [:]
        var pairs: [ByteString: PairCount] = [:]
        var metrics: [ByteString: UInt64] = [:]
        for number in try block.index.select(matchers) {
            let (labels, chunks) = try block.index.series(number)
            seriesCount += 1
            var uncovered = length
            if let first = chunks.first, let last = chunks.last {
                uncovered = uncovered &- UInt64(bitPattern: last.maximumTime &- first.minimumTime)
            }
            for pair in labels.pairs {
                entryCount += 1
                names[pair.name, default: 0] &+= uncovered
                let key = ByteString(pair.name.bytes + [UInt8(ascii: "=")] + pair.value.bytes)
                pairs[key, default: PairCount()].series += 1
                pairs[key, default: PairCount()].uncovered &+= uncovered
                if pair.name == Labels.metricName { metrics[pair.value, default: 0] += 1 }
            }
        }
        func share(_ uncovered: UInt64) -> UInt64 {
            UInt64(exactly: (Double(uncovered) / Double(max(1, length))).rounded(.towardZero)) ?? .max
        }
        churningPairs = Self.sorted(pairs.map { Entry(key: $0.key, count: share($0.value.uncovered)) })
        churningNames = Self.sorted(names.map { Entry(key: $0.key, count: share($0.value)) })
        commonPairs = Self.sorted(pairs.map { Entry(key: $0.key, count: $0.value.series) })
        largestMetrics = Self.sorted(metrics.map { Entry(key: $0.key, count: $0.value) })
        let all = try block.index.labelNames(matchers)
        labelNameCount = all.count
        for name in all {
            let values = try block.index.labelValues(of: name, matchers)
            longestNames.append(Entry(key: name, count: values.reduce(0) { $0 + UInt64($1.count) }))
            variedNames.append(Entry(key: name, count: UInt64(values.count)))
        }
        longestNames = Self.sorted(longestNames)
        variedNames = Self.sorted(variedNames)
    }

    /// The most first; of equals the first by name.
    private static func sorted(_ entries: [Entry]) -> [Entry] {
        entries.sorted { $0.count == $1.count ? $0.key < $1.key : $0.count > $1.count }
    }
}

/// How well the chunks of a block are filled.
package struct ChunkAnalysis: Sendable {
    /// Of all kinds.
    package private(set) var chunkCount = 0
    /// One number for each chunk.
    package private(set) var samplesOfFloatChunks: [Int] = []
    /// One number for each chunk.
    package private(set) var bytesOfFloatChunks: [Int] = []
    /// One number for each chunk.
    package private(set) var samplesOfHistogramChunks: [Int] = []
    /// One number for each chunk.
    package private(set) var bytesOfHistogramChunks: [Int] = []
    /// Of all samples of a chunk, one number for each.
    package private(set) var bucketsOfHistogramChunks: [Int] = []

    /// Reads all chunks of the series of `block` that fulfil `matchers`.
    package init(_ block: Block, _ matchers: [Matcher] = []) throws(StoreError) {
        for number in try block.index.select(matchers) {
            for meta in try block.index.series(number).chunks {
                chunkCount += 1
                let (count, size, buckets) = try block.chunks.withChunk(meta.reference) {
                    (encoding, bytes) throws(ChunkError) in
                    let count = ChunkHeader.sampleCount(bytes, encoding)
                    if encoding == .xor || encoding == .xor2 { return (count, bytes.count, nil as Int?) }
                    var buckets = 0
                    for sample in try ChunkDecoder.samples(encoding, bytes) {
                        switch sample {
                        case .float: break
                        case .histogram(_, let histogram, _):
                            buckets += histogram.positiveDeltas.count + histogram.negativeDeltas.count
                        case .floatHistogram(_, let histogram, _):
                            buckets += histogram.positiveBuckets.count + histogram.negativeBuckets.count
                        }
                    }
                    return (count, bytes.count, buckets)
                }
                if let buckets {
                    samplesOfHistogramChunks.append(count)
                    bytesOfHistogramChunks.append(size)
                    bucketsOfHistogramChunks.append(buckets)
                } else {
                    samplesOfFloatChunks.append(count)
                    bytesOfFloatChunks.append(size)
                }
            }
        }
    }
}
