import Matching
import MetricModel
import PromQL
import TestSupport
import Testing

@Suite struct ActiveQueryLogTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.file("queries.active")
    }

    /// The text of a file of records that are filled up with zeros.
    private static func text(_ path: String) -> String { TemporaryFolder.read(path).filter { $0 != "\0" } }

    /// A source that looks at the log while a query runs.
    private struct Peeking: SeriesSource {
        let path: String

        func select(_ matchers: [Matcher], start: Timestamp, end: Timestamp, hints: SelectHints) throws
            -> SeriesSelection
        {
            throw Seen(text: ActiveQueryLogTests.text(path))
        }
    }

    private struct Seen: Error {
        let text: String
    }

    @Test func `a running query stands in the file, a finished one does not`() throws {
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
        #expect(Self.text(path) == "[")
    }

    @Test func `what a process left behind is told to the next one`() throws {
        try folder.write("queries.active", #"[{"query":"up","timestamp_sec":1},"#)
        let storage = try #require(MappedQueryFile(path: path, count: 2))
        #expect(storage.unfinished == #"[{"query":"up","timestamp_sec":1}]"#)
    }
}
