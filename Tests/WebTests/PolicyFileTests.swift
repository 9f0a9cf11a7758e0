import Gateway
import MetricModel
import Testing
import Web

@Suite struct PolicyFileTests {
    private func policies(_ text: String) throws -> [Policy] { try PolicyFile(Array(text.utf8)).policies }

    private func fault(_ text: String) -> String {
        do {
            _ = try policies(text)
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func `all that a policy can say is read`() throws {
        let read = try policies(
            """
            policies:
              - match: '{job=~"ci-.*"}'
                lifetime: 1h
              - match: '{}'
                accumulate: true
                gauges: {default: sum, 'peak_.*': max}
                limits: {groups: 10, series: 200, pushes_per_second: 0.5}
            """)
        try #require(read.count == 2)
        #expect(read[0].lifetime == .nanoseconds(3_600_000_000_000))
        #expect(read[0].selector.selects(GroupingKey(["job": "ci-7"])))
        #expect(!read[0].selector.selects(GroupingKey(["job": "web"])))
        #expect(!read[0].accumulates)
        #expect(read[1].accumulates)
        #expect(read[1].gaugeRule == .sum)
        #expect(read[1].namedGaugeRules.map(\.rule) == [.maximum])
        #expect(read[1].limits.groups == 10)
        #expect(read[1].limits.series == 200)
        #expect(read[1].limits.pushesPerSecond == 0.5)
        #expect(read[1].selector.selects(GroupingKey(["job": "web"])))
    }

    @Test func `an empty file has no policies`() throws {
        #expect(try policies("").isEmpty)
        #expect(try policies("policies: []").isEmpty)
    }

    @Test(arguments: [
        ("policies:\n- lifetime: 1h\n", "a policy has no match: say which groups it is for, {} for all (line 2)"),
        ("policies:\n- match: '{}'\n  lifetime: soon\n", "(line 3)"),
        ("policies:\n- match: '{job='\n", "invalid selector"),
        ("policies:\n- match: 'up'\n", "have no metric name"),
        ("policies:\n- match: '{}'\n  gauges: most\n", "expected one of last, sum, min, max, mean (line 3)"),
        ("policies:\n- match: '{}'\n  gauges: {'(': max}\n", "invalid name of gauges"),
        ("policies:\n- match: '{}'\n  limits: {groups: -1}\n", "a limit is 0 or more (line 3)"),
        ("policies:\n- match: '{}'\n  colour: red\n", "line 3: field colour not found in type policy"),
        ("rules: []\n", "line 1: field rules not found in type policy file"),
        ("policies: [", "yaml: "),
    ])
    func `a mistake is named with its line`(text: String, part: String) {
        #expect(fault(text).contains(part), "\(fault(text))")
    }

    @Test(arguments: [
        ("forever", Lifetime.forever), ("15m", .nanoseconds(900_000_000_000)),
        ("1.5h", .nanoseconds(5_400_000_000_000)),
        ("1d", .nanoseconds(86_400_000_000_000)), ("until-scraped", .untilScraped(by: 1)),
        ("until-scraped=2", .untilScraped(by: 2)),
    ])
    func `lifetimes are read`(text: String, lifetime: Lifetime) throws {
        #expect(try Lifetime(text: text) == lifetime)
        #expect(try Lifetime(text: lifetime.text) == lifetime)
    }

    @Test(arguments: ["", "0", "0s", "-1m", "soon", "until-scraped=0", "until-scraped=", "until-scraped=1000", "15"])
    func `what is no lifetime is refused`(text: String) {
        #expect(throws: InvalidWish.self) { _ = try Lifetime(text: text) }
    }
}
