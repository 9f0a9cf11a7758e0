import MetricModel
import PromQL
import PromQLScripts
import Testing

/// Series that are alike once their names are gone, one of numbers and one of histograms.
@Suite struct NameRemovalTests {
    private static func answer(_ query: ByteString, delayed: Bool) throws -> QueryResult.Value {
        var store = ArrayStore()
        let script = try Script("load 10s\n  g{a=\"1\"} 1+1x20\n  h{a=\"1\"} {{count:3 sum:4 buckets:[1 2]}}x20\n")
        for case .load(let load) in script.commands { store.load(load.series) }
        var options = EngineOptions.scripts()
        options.delayedNameRemoval = delayed
        return try Engine(options: options).evaluate(query, over: store, at: .instant(100_000)).value
    }

    @Test(arguments: [#"{__name__=~"g|h"} * 2"#, #"rate({__name__=~"g|h"}[1m])"#, #"info({__name__=~"g|h"} * 2)"#])
    func `they are an error where names go at once`(query: String) {
        #expect(throws: QueryError.self) { try Self.answer(ByteString(query), delayed: false) }
    }

    @Test(arguments: [true, false]) func `a sign takes them together`(delayed: Bool) throws {
        guard case .vector(_, let samples) = try Self.answer(#"-{__name__=~"g|h"}"#, delayed: delayed) else {
            Issue.record("no vector")
            return
        }
        #expect(samples.count == 1)
    }

    @Test func `a range vector has both`() throws {
        let query: ByteString = #"rate({__name__=~"g|h"}[1m])[20s:10s]"#
        guard case .matrix(let series) = try Self.answer(query, delayed: true) else {
            Issue.record("no range vector")
            return
        }
        #expect(series.map(\.floats.count) == [2])
        #expect(series.map(\.histograms.count) == [2])
    }
}
