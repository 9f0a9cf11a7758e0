import MetricModel
import PromQL
import PromQLScripts
import TestSupport

/// What the fuzzer of queries, scripts and descriptions of series does with an input.
package enum FuzzPromQLBody {
    private static let parser = Parser(options: .everything)
    private static let engines = [false, true].map { isOther in
        var options = EngineOptions.scripts(workers: 1)
        options.delayedNameRemoval = isOther
        options.usesStartTimestamps = isOther
        options.usesTypeAndUnitLabels = isOther
        options.maximumSamples = 20_000
        return Engine(options: options)
    }
    /// Series of every kind.
    private static let store = {
        var generator = SeriesGenerator(seed: 1)
        var store = ArrayStore()
        for command in (try? Script(ByteString(generator.script())))?.commands ?? [] {
            guard case .load(let load) = command else { continue }
            store.load(load.series)
            if load.addsCustomBuckets { store.load((try? load.convertedSeries()) ?? []) }
        }
        return store
    }()

    /// Any bytes are a query, a selector, a series description, a duration and a script, or are refused; queries are
    /// evaluated, and give a result or an error.
    package static func run(_ input: [UInt8]) throws {
        let text = ByteString(input)
        _ = try? parser.parseMetricSelector(text)
        _ = try? parser.parseSeriesDescription(text)
        _ = try? DurationGrammar.parse(text)
        _ = try? Script(text)
        guard let expression = try? parser.parseExpression(text) else { return }
        _ = expression.json
        _ = expression.prettyText
        // Upstream's canonical text of `info(x, {})` is none that can be parsed again, so nothing is claimed of it.
        _ = try? parser.parseExpression(ByteString(expression.description))
        for (engine, time) in zip(
            engines, [Engine.Time.instant(600_000), .range(start: 0, end: 700_001, step: 100_000)])
        {
            if let result = try? engine.evaluate(text, over: store, at: time) {
                _ = result.annotations.texts(query: text)
            }
        }
        _ = engines[0].evaluateLightly(text, over: store, at: 600_000)
    }
}
