import Matching
import MetricModel
import TSDB
import TestSupport
import Testing

/// Each shortcut that a matcher may take in the head, against testing every series.
@Suite struct HeadMatcherTests {
    private static let values = ["", "a", "ab", "abc", "b", "B", "ä", "prod-1", "prod-2", "dev-1", "a.b", "\n"]
    private static let patterns = [
        "", ".*", ".+", "a", "a|b", "ab?c?", "prod-.*", "(prod|dev)-1", "a\\.b", "(?i)b", "[ab]", "^a$", "a|", "|a",
        "pro.+", ".*-1", "(a|ab)(c|)", "(?s:.*)", "ä", "prod-[12]", "x{0,2}ab", ".", "\\n",
    ]

    @Test(arguments: 0..<30 as Range<UInt64>) func `selection in the head agrees with testing every series`(
        seed: UInt64
    ) throws {
        var random = SeededGenerator(seed: seed)
        let database = try Database.open("data", fileSystem: SimulatedDisk(seed: 1))
        var sets: Set<Labels> = []
        let count = seed % 2 == 0 ? 40 : 400
        let appender = database.appender()
        for _ in 0..<count {
            var builder = LabelsBuilder()
            builder.set("__name__", "m")
            for name in ["x", "y", "z"] {
                var value = Self.values.randomElement(using: &random) ?? ""
                if name == "z", Bool.random(using: &random) { value += "\(Int.random(in: 0..<200, using: &random))" }
                builder.set(ByteString(name), ByteString(value))
            }
            let labels = builder.labels()
            guard sets.insert(labels).inserted else { continue }
            _ = try appender.append(.none, labels: labels, timestamp: 1_000, value: 1)
        }
        _ = try appender.commit(.relaxed)
        let querier = try database.querier(from: .min, to: .max)
        for _ in 0..<60 {
            let matchers = try (0..<Int.random(in: 1...3, using: &random)).map { _ in
                try matcher(&random)
            }
            let found = try querier.select(matchers).map(\.labels)
            let expected = sets.filter { labels in matchers.allSatisfy { $0.matches(labels) } }.sorted()
            #expect(found == expected, "\(matchers.map { "\($0.name)\($0.operation.rawValue)\($0.value)" })")
            let names = Set(expected.flatMap { $0.pairs.map(\.name) }).sorted()
            #expect(try querier.labelNames(matchers).texts == names)
            let values = Set(expected.compactMap { $0["z"] }).sorted()
            #expect(try querier.labelValues(of: "z", matchers).texts == values)
        }
    }

    private func matcher(_ random: inout SeededGenerator) throws -> Matcher {
        let operations: [Matcher.Operation] = [.equal, .notEqual, .matches, .matchesNot]
        let operation = operations.randomElement(using: &random) ?? .equal
        let text: String
        switch operation {
        case .equal, .notEqual: text = Self.values.randomElement(using: &random) ?? ""
        case .matches, .matchesNot: text = Self.patterns.randomElement(using: &random) ?? ""
        }
        let name = ["x", "y", "z", "missing"].randomElement(using: &random) ?? "x"
        return try Matcher(ByteString(name), operation, ByteString(text))
    }
}
