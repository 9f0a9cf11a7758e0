import MetricModel
import PromQL
import TestSupport
import Testing

@Suite struct EngineProperties {
    private static func engine(workers: Int, delayed: Bool = false) -> Engine {
        var options = EngineOptions()
        options.parser = .everything
        options.workers = workers
        options.delayedNameRemoval = delayed
        return Engine(options: options)
    }

    /// A range query's values as text, by time and labels; what upstream's own order leaves open is sorted.
    private static func lines(_ value: QueryResult.Value) -> [String] {
        switch value {
        case .scalar(let time, let number): ["\(time) {} \(text(number))"]
        case .string(let time, let text): ["\(time) \(text)"]
        case .vector(let time, let samples):
            samples.map { labels, value in
                switch value {
                case .float(let number): "\(time) \(labels) \(text(number))"
                case .histogram(let histogram): "\(time) \(labels) \(histogram)"
                }
            }.sorted()
        case .matrix(let series):
            series.flatMap { one in
                one.floats.map { "\($0.timestamp) \(one.labels) \(text($0.value))" }
                    + one.histograms.map { "\($0.timestamp) \(one.labels) \($0.value.value)" }
            }.sorted()
        }
    }

    private static func text(_ number: Double) -> String { number.isNaN ? "NaN" : "\(number)" }

    /// What depends on the query's own range or on the neighbouring steps differs by design.
    private static func depends(_ query: String) -> Bool {
        ["start()", "end()", "step()", "range()", "sort", "limitk"].contains { query.contains($0) }
    }

    @Test(arguments: UInt64(0)..<400) func `a range query equals its instant queries`(seed: UInt64) throws {
        var queries = RandomQueries(random: SeededGenerator(seed: seed))
        let data = RandomData(seed: seed % 5)
        let engine = Self.engine(workers: 1, delayed: seed % 2 == 0)
        for _ in 0..<5 {
            let query = queries.query()
            if Self.depends(query) { continue }
            let text = ByteString(query)
            let range: [String]
            do throws(QueryError) {
                range = Self.lines(
                    try engine.evaluate(text, over: data, at: .range(start: 300_000, end: 900_000, step: 60_000)).value)
            } catch {
                continue  // some step may well be impossible where others are not
            }
            var instants: [String] = []
            for time in stride(from: Timestamp(300_000), through: 900_000, by: 60_000) {
                instants += Self.lines(try engine.evaluate(text, over: data, at: .instant(time)).value)
            }
            #expect(range.sorted() == instants.sorted(), "\(query)")
        }
    }

    @Test(arguments: UInt64(0)..<100) func `several cores give what one gives`(seed: UInt64) {
        var queries = RandomQueries(random: SeededGenerator(seed: 1000 + seed))
        let data = RandomData(seed: seed % 3)
        for _ in 0..<5 {
            let query = ByteString(queries.query())
            let time = Engine.Time.range(start: 0, end: 900_000, step: 45_000)
            let answers = [1, 4].map { workers in
                Result { () throws(QueryError) in
                    try Self.engine(workers: workers).evaluate(query, over: data, at: time)
                }
            }
            let texts = answers.map { answer in
                switch answer {
                case .success(let result):
                    Self.lines(result.value) + result.annotations.texts(query: query).warnings.sorted()
                        + ["\(result.statistics.totalSamples)"]
                case .failure(let error): [error.description]
                }
            }
            #expect(texts[0] == texts[1], "\(query)")
        }
    }

    @Test func `deep nesting is evaluated`() throws {
        for unit in ["-", "abs("] {
            let open = String(repeating: unit, count: 190)
            let close = unit == "abs(" ? String(repeating: ")", count: 190) : ""
            let query = ByteString(open + "temperature" + close)
            let result = try Self.engine(workers: 1).evaluate(query, over: RandomData(seed: 1), at: .instant(600_000))
            guard case .vector(_, let samples) = result.value else {
                Issue.record("no vector")
                return
            }
            #expect(samples.count == 6)
        }
    }

    @Test func `a query ends at its limits`() {
        var options = EngineOptions()
        options.maximumSamples = 100
        let engine = Engine(options: options)
        let data = RandomData(seed: 1)
        let time = Engine.Time.range(start: 0, end: 1_200_000, step: 1000)
        #expect(throws: QueryError.self) { try engine.evaluate("temperature", over: data, at: time) }
        var settings = Engine.Settings()
        settings.timeout = .zero
        do throws(QueryError) {
            _ = try Engine().evaluate("temperature", over: data, at: time, settings: settings)
            Issue.record("not timed out")
        } catch {
            #expect(error.description.hasPrefix("query timed out in "))
        }
        settings.timeout = nil
        let cancellation = QueryCancellation()
        cancellation.cancel()
        settings.cancellation = cancellation
        do throws(QueryError) {
            _ = try Engine().evaluate("temperature", over: data, at: time, settings: settings)
            Issue.record("not cancelled")
        } catch {
            #expect(error.description.hasPrefix("query was canceled in "))
        }
    }
}
