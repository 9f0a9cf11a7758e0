import Matching
import MetricModel
import PromQL
import TestSupport
import Testing

/// Queries that an event loop may evaluate by itself.
@Suite struct LightQueryTests {
    private let data = RandomData(seed: 1)

    /// Finds nothing but errors, as a store does that would have to read too much.
    private struct Refusing: SeriesSource {
        struct TooMuch: Error {}

        func select(_ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints) throws
            -> SeriesSelection
        { throw TooMuch() }
    }

    private struct Observer: QueryObserver {
        let mayWait: Bool

        func finished(_ query: FinishedQuery) {}
    }

    @Test(arguments: UInt64(0)..<100) func `a light evaluation gives what any other does, or nothing`(seed: UInt64) {
        var options = EngineOptions()
        options.parser = .everything
        let engine = Engine(options: options)
        var queries = RandomQueries(random: SeededGenerator(seed: 5000 + seed))
        for _ in 0..<5 {
            let query = ByteString(queries.query())
            guard let light = engine.evaluateLightly(query, over: data, at: 600_000) else { continue }
            let whole = try? engine.evaluate(query, over: data, at: .instant(600_000))
            #expect(whole.map { "\($0.value)" } == "\(light.value)", "\(query)")
            #expect(whole?.statistics.totalSamples == light.statistics.totalSamples)
            #expect(
                whole.map { $0.annotations.texts(query: query).infos } == light.annotations.texts(query: query).infos)
        }
    }

    @Test(
        arguments: [
            "temperature", "count by (job) (temperature > 5)", "absent(nothing)", "rate(requests_total[5m])", "1 + 1",
        ] as [ByteString])
    func `cheap queries are light`(query: ByteString) {
        #expect(Engine().evaluateLightly(query, over: data, at: 600_000) != nil)
    }

    @Test(
        arguments: [
            "max_over_time(temperature[1h:1s])", #"temperature{job=~"a|b"}"#,
            #"label_replace(temperature, "a", "$1", "job", "(.*)")"#, "temperature +",
            "temperature + on (job) temperature",
            ByteString(Array(repeating: "sum(temperature)", count: 9).joined(separator: " + ")),
        ] as [ByteString])
    func `others are not`(query: ByteString) {
        #expect(Engine().evaluateLightly(query, over: data, at: 600_000) == nil)
    }

    @Test func `a source that would have to read too much is left to a thread`() {
        #expect(Engine().evaluateLightly("temperature", over: Refusing(), at: 600_000) == nil)
    }

    @Test(arguments: [true, false]) func `nothing is light while queries are written to a log`(mayWait: Bool) {
        let engine = Engine(observer: Observer(mayWait: mayWait))
        #expect((engine.evaluateLightly("temperature", over: data, at: 600_000) == nil) == mayWait)
    }

    @Test func `samples are limited`() {
        var options = EngineOptions()
        options.maximumSamples = 5
        #expect(Engine(options: options).evaluateLightly("temperature", over: data, at: 600_000) == nil)
    }
}
