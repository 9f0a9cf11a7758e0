package import Matching
package import MetricModel
package import PromQL

/// Series in arrays: the plainest store that queries can be asked of. For scripts and tests.
package struct ArrayStore: Sendable {
    private var columns: [Labels: SampleColumns] = [:]

    /// Nothing.
    package init() {}

    /// Adds samples behind those that are there.
    package mutating func load(_ series: [LoadCommand.Series]) {
        for one in series {
            var column = columns[one.labels] ?? SampleColumns()
            for sample in one.samples {
                switch sample.value {
                case .float(let value): column.append(sample.timestamp, value)
                case .histogram(let histogram): column.append(sample.timestamp, Self.hinted(histogram, after: column))
                }
                column.startTimestamps.append(sample.startTimestamp)
            }
            columns[one.labels] = column
        }
    }

    /// A histogram with what a store says about resets: nothing where a chunk would begin, as at a reset.
    private static func hinted(_ histogram: FloatHistogram, after column: SampleColumns) -> FloatHistogram {
        guard histogram.counterResetHint == .unknown, !histogram.isStale,
            let previous = column.histograms.last, previous.index == column.count - 1, !previous.histogram.isStale,
            previous.histogram.counterResetHint != .gauge
        else { return histogram }
        var histogram = histogram
        histogram.counterResetHint = histogram.detectReset(since: previous.histogram) ? .unknown : .notReset
        return histogram
    }

    private struct Series: SelectedSeries {
        let labels: Labels
        let samples: SampleColumns

        func read(into columns: inout SampleColumns) { columns = samples }
    }
}

extension ArrayStore: SeriesSource {
    package func select(
        _ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints
    ) -> SeriesSelection {
        let found = columns.filter { entry in matchers.allSatisfy { $0.matches(entry.key) } }
        let series = found.map { Series(labels: $0.key, samples: $0.value) }
        return SeriesSelection(series: series.sorted { $0.labels < $1.labels })
    }
}

/// An engine over arrays, as scripts test it: every part of the language switched on.
package struct ArrayStoreSubject: ScriptSubject {
    private var store = ArrayStore()
    private let engine: Engine

    /// An empty store and an engine with the settings that upstream's scripts are written for.
    package init(workers: Int = 1) { engine = Engine(options: .scripts(workers: workers)) }

    package mutating func clear() { store = ArrayStore() }

    package mutating func load(_ series: [LoadCommand.Series]) { store.load(series) }

    package func answer(_ query: ByteString, at time: EvaluateCommand.Time) throws -> ScriptAnswer {
        try ScriptAnswer(engine, query, over: store, at: time)
    }
}

extension EngineOptions {
    /// What upstream's scripts are written for.
    ///
    /// Source: prometheus/prometheus promql/promqltest/test.go (`NewTestEngine`).
    package static func scripts(workers: Int = 2) -> EngineOptions {
        var options = EngineOptions()
        options.parser = .everything
        options.timeout = .seconds(100)
        options.workers = workers
        options.delayedNameRemoval = true
        options.usesStartTimestamps = true
        return options
    }
}

extension ScriptAnswer {
    /// Asks `engine`.
    /// - Throws: `QueryError`.
    package init(
        _ engine: Engine, _ query: ByteString, over source: any SeriesSource, at time: EvaluateCommand.Time
    ) throws {
        let moments: Engine.Time =
            switch time {
            case .instant(let time): .instant(time)
            case .range(let start, let end, let step): .range(start: start, end: end, step: step)
            }
        let result = try engine.evaluate(query, over: source, at: moments)
        let texts = result.annotations.texts(query: query, limit: 0)
        self.init(value: Value(result.value), warnings: texts.warnings, infos: texts.infos)
    }
}

extension ScriptAnswer.Value {
    fileprivate init(_ value: QueryResult.Value) {
        switch value {
        case .scalar(_, let number): self = .scalar(number)
        case .string(_, let text): self = .string(text)
        case .vector(_, let samples):
            self = .vector(
                samples.map { labels, value in
                    switch value {
                    case .float(let number): ScriptAnswer.Sample(labels: labels, value: .float(number))
                    case .histogram(let histogram):
                        ScriptAnswer.Sample(labels: labels, value: .histogram(histogram))
                    }
                })
        case .matrix(let series):
            self = .matrix(
                series.map { series in
                    var points: [(timestamp: Timestamp, value: SeriesDescription.Value.Sample)] = []
                    points += series.floats.map { ($0.timestamp, .float($0.value)) }
                    points += series.histograms.map { ($0.timestamp, .histogram($0.value.value)) }
                    return ScriptAnswer.Series(
                        labels: series.labels, points: points.sorted { $0.timestamp < $1.timestamp })
                })
        }
    }
}
