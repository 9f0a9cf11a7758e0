import Foundation
import Matching
import MetricModel
import PromQL
import Testing

@Suite struct ActiveQueryLogTests {
    private let path = NSTemporaryDirectory() + "queries.active." + UUID().uuidString

    /// A source that looks at the log while a query runs.
    private struct Peeking: SeriesSource {
        let path: String

        func select(_ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints) throws
            -> SeriesSelection
        {
            let file = try Data(contentsOf: URL(fileURLWithPath: path))
            throw Seen(text: String(decoding: file.filter { $0 != 0 }, as: UTF8.self))
        }
    }

    private struct Seen: Error {
        let text: String
    }

    @Test func `a running query stands in the file, a finished one does not`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let storage = try #require(MappedQueryFile(path: path, count: 2))
        #expect(storage.unfinished.isEmpty)
        let log = ActiveQueryLog(count: 2, storage: storage) { 1_700_000_000 }
        let engine = Engine(log: log)
        do throws(QueryError) {
            _ = try engine.evaluate(#"x{a="<"}"#, over: Peeking(path: path), at: .instant(0))
        } catch {
            guard case .storage(let seen as Seen) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(seen.text == #"[{"query":"x{a=\"\u003c\"}","timestamp_sec":1700000000},"#)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).filter { $0 != 0 } == Data("[".utf8))
    }

    @Test func `what a process left behind is told to the next one`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(#"[{"query":"up","timestamp_sec":1},"#.utf8).write(to: URL(fileURLWithPath: path))
        let storage = try #require(MappedQueryFile(path: path, count: 2))
        #expect(storage.unfinished == #"[{"query":"up","timestamp_sec":1}]"#)
    }
}
