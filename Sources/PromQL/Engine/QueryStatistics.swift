package import MetricModel

/// What a query took.
///
/// Source: prometheus/prometheus util/stats.
package struct QueryStatistics: Sendable {
    /// Samples looked at, each once for every step that sees it.
    package var totalSamples = 0
    /// Samples read, each once.
    package var samplesRead = 0
    /// The most samples held at once.
    package var peakSamples = 0
    /// ``totalSamples`` for each step, where asked for: time in milliseconds and number.
    package var samplesPerStep: [(time: Timestamp, samples: Int)] = []
    /// ``samplesRead`` for each step, likewise.
    package var samplesReadPerStep: [(time: Timestamp, samples: Int)] = []
    /// Seconds spent waiting for other queries.
    package var queueTime = 0.0
    /// Seconds spent on parsing and planning.
    package var preparationTime = 0.0
    /// Seconds spent on evaluation.
    package var evaluationTime = 0.0
    /// Seconds spent on sorting the result.
    package var sortTime = 0.0

    /// Seconds from the query's arrival to its end.
    package var totalTime = 0.0

    /// Seconds spent on all but waiting.
    package var executionTime: Double { preparationTime + evaluationTime + sortTime }

    /// Nothing yet.
    package init() {}
}

/// Counts the samples that an evaluation looks at.
struct SampleCounter {
    var total = 0
    var read = 0
    /// ``total`` by step; empty if not asked for.
    var perStep: [Int]
    /// ``read`` by step; empty if not asked for.
    var readPerStep: [Int]

    init(steps: Int, tracksSteps: Bool) {
        perStep = tracksSteps ? [Int](repeating: 0, count: steps) : []
        readPerStep = perStep
    }

    @inline(__always)
    mutating func count(_ samples: Int, read: Int, step: Int) {
        total &+= samples
        self.read &+= read
        if !perStep.isEmpty { count(samples, read: read, at: step) }
    }

    private mutating func count(_ samples: Int, read: Int, at step: Int) {
        guard step < perStep.count && step < readPerStep.count else { return }
        perStep[step] &+= samples
        readPerStep[step] &+= read
    }

    mutating func merge(_ other: SampleCounter) {
        total &+= other.total
        read &+= other.read
        for step in perStep.indices where step < other.perStep.count { perStep[step] &+= other.perStep[step] }
        for step in readPerStep.indices where step < other.readPerStep.count {
            readPerStep[step] &+= other.readPerStep[step]
        }
    }
}
