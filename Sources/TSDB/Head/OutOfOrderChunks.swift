internal import MetricModel

/// A sample that came late.
struct LateSample: Sendable {
    enum Value: Sendable {
        case float(Double)
        case histogram(HistogramSample)
    }

    var timestamp: Timestamp
    var value: Value
    /// Start timestamp; 0 if not known.
    var start: Timestamp = 0
}

/// The out-of-order samples of one series: a small sorted buffer and the chunks that were written from it.
///
/// Source of the rules: prometheus/prometheus tsdb/ooo_head.go.
struct OutOfOrderChunks: Sendable {
    /// By time, each time once.
    var buffer: [LateSample] = []
    /// In the order of writing; their times may overlap.
    var mapped: [MappedChunk] = []

    /// Whether there are no samples.
    var isEmpty: Bool { buffer.isEmpty && mapped.isEmpty }

    /// Adds a sample, unless there is one of its time in the buffer.
    /// - Returns: whether it was added.
    /// - Complexity: O(buffer).
    mutating func insert(_ sample: LateSample) -> Bool {
        var low = 0
        var high = buffer.count
        while low < high {
            let middle = (low + high) / 2
            if buffer[middle].timestamp < sample.timestamp { low = middle + 1 } else { high = middle }
        }
        if low < buffer.count && buffer[low].timestamp == sample.timestamp { return false }
        buffer.insert(sample, at: low)
        return true
    }

    /// The buffer as chunks, one for each run of samples of a kind, encoded as `rules` say.
    func encoded(_ rules: ChunkRules) -> [FullChunk] {
        let series = MemorySeries(reference: 0, labels: .empty)
        var rules = rules
        rules.range = 0
        rules.samplesPerChunk = Int(UInt16.max) / 2
        for sample in buffer {
            switch sample.value {
            case .float(let value): _ = series.append(sample.timestamp, value, start: sample.start, rules)
            case .histogram(let value): _ = series.append(sample.timestamp, value, start: sample.start, rules)
            }
        }
        series.closeChunk()
        return series.extra?.full ?? []
    }
}
