import MetricModel
import Scrape
import Testing

@Suite struct RelabelTests {
    struct Case: Sendable {
        var name: String
        var rule: RelabelRule
        var input: Labels
        var output: Labels?
    }

    static func cases() throws -> [Case] {
        let abc: Labels = ["a": "foo", "b": "bar", "c": "baz"]
        return [
            Case(
                name: "replace",
                rule: try RelabelRule(
                    sourceLabels: ["a"], pattern: "f(.*)", targetLabel: "d", replacement: "ch${1}-ch${1}"),
                input: abc, output: ["a": "foo", "b": "bar", "c": "baz", "d": "choo-choo"]),
            Case(
                name: "replace joins",
                rule: try RelabelRule(
                    sourceLabels: ["a", "b"], pattern: "f(.*);(.*)r", targetLabel: "a", replacement: "b${1}${2}m"),
                input: abc, output: ["a": "boobam", "b": "bar", "c": "baz"]),
            Case(
                name: "no match",
                rule: try RelabelRule(sourceLabels: ["a"], pattern: "x", targetLabel: "a", replacement: "y"),
                input: abc,
                output: abc),
            Case(
                name: "anchored",
                rule: try RelabelRule(sourceLabels: ["a"], pattern: "fo", targetLabel: "a", replacement: "y"),
                input: abc, output: abc),
            Case(
                name: "empty replacement deletes",
                rule: try RelabelRule(sourceLabels: ["a"], targetLabel: "a", replacement: ""),
                input: abc, output: ["b": "bar", "c": "baz"]),
            Case(
                name: "named groups and templates in the target",
                rule: try RelabelRule(
                    sourceLabels: ["a"], pattern: "(?P<first>.)(.*)", targetLabel: "x_$first", replacement: "$2$$"),
                input: abc, output: ["a": "foo", "b": "bar", "c": "baz", "x_f": "oo$"]),
            Case(
                name: "an invalid target is left alone",
                rule: try RelabelRule(sourceLabels: ["a"], targetLabel: "1$1", replacement: "x", validation: .legacy),
                input: abc, output: abc),
            Case(
                name: "long names end where letters end",
                rule: try RelabelRule(sourceLabels: ["a"], targetLabel: "d", replacement: "[$1x]${1}x$"),
                input: abc, output: ["a": "foo", "b": "bar", "c": "baz", "d": "[]foox$"]),
            Case(
                name: "a constant without source", rule: try RelabelRule(targetLabel: "d", replacement: "k"),
                input: abc,
                output: ["a": "foo", "b": "bar", "c": "baz", "d": "k"]),
            Case(
                name: "drop", rule: try RelabelRule(action: .drop, sourceLabels: ["a"], pattern: ".*o.*"), input: abc,
                output: nil),
            Case(
                name: "keep", rule: try RelabelRule(action: .keep, sourceLabels: ["a"], pattern: "no-match"),
                input: abc, output: nil),
            Case(
                name: "dropequal", rule: try RelabelRule(action: .dropEqual, sourceLabels: ["a"], targetLabel: "b"),
                input: ["a": "x", "b": "x"], output: nil),
            Case(
                name: "keepequal", rule: try RelabelRule(action: .keepEqual, sourceLabels: ["a"], targetLabel: "b"),
                input: abc, output: nil),
            Case(
                name: "hashmod",
                rule: try RelabelRule(action: .hashmod, sourceLabels: ["c"], modulus: 1000, targetLabel: "d"),
                input: abc,
                output: ["a": "foo", "b": "bar", "c": "baz", "d": "976"]),
            Case(
                name: "hashmod of several lines",
                rule: try RelabelRule(action: .hashmod, sourceLabels: ["a"], modulus: 1000, targetLabel: "d"),
                input: ["a": "foo\nbar"], output: ["a": "foo\nbar", "d": "734"]),
            Case(
                name: "labelmap",
                rule: try RelabelRule(action: .labelmap, pattern: "__meta_(m.*)", replacement: "bar_${1}"),
                input: ["a": "foo", "__meta_my_bar": "aaa", "__meta_my_baz": "bbb"],
                output: [
                    "a": "foo", "__meta_my_bar": "aaa", "__meta_my_baz": "bbb", "bar_my_bar": "aaa",
                    "bar_my_baz": "bbb",
                ]),
            Case(
                name: "labeldrop", rule: try RelabelRule(action: .labeldrop, pattern: "[ab]"), input: abc,
                output: ["c": "baz"]),
            Case(
                name: "labelkeep", rule: try RelabelRule(action: .labelkeep, pattern: "[ab]"), input: abc,
                output: ["a": "foo", "b": "bar"]),
            Case(
                name: "lowercase", rule: try RelabelRule(action: .lowercase, sourceLabels: ["a"], targetLabel: "l"),
                input: ["a": "FoÖß"], output: ["a": "FoÖß", "l": "foöß"]),
            Case(
                name: "uppercase", rule: try RelabelRule(action: .uppercase, sourceLabels: ["a"], targetLabel: "u"),
                input: ["a": "Foöß"], output: ["a": "Foöß", "u": "FOÖß"]),
            Case(
                name: "the dot matches line ends",
                rule: try RelabelRule(action: .keep, sourceLabels: ["a"], pattern: "x.y"), input: ["a": "x\ny"],
                output: ["a": "x\ny"]),
        ]
    }

    @Test func `each action does what Prometheus' does`() throws {
        for example in try Self.cases() {
            #expect(RelabelRule.apply([example.rule], to: example.input) == example.output, "\(example.name)")
        }
    }

    @Test func `rules see what the ones before made`() throws {
        let rules = [
            try RelabelRule(sourceLabels: ["a"], targetLabel: "b", replacement: "${1}1"),
            try RelabelRule(sourceLabels: ["b"], targetLabel: "c", replacement: "${1}2"),
            try RelabelRule(action: .labeldrop, pattern: "b"),
        ]
        #expect(RelabelRule.apply(rules, to: ["a": "x"]) == ["a": "x", "c": "x12"])
    }
}

@Suite struct TargetLabelTests {
    private func configuration(_ text: String) throws -> ScrapeConfiguration {
        try #require(try Configuration(Array(text.utf8)) { _ in nil }.scrapeConfigurations.first)
    }

    @Test func `discovered labels carry what the configuration sets, group labels yield to the target's`() throws {
        let job = try configuration("scrape_configs: [{job_name: j, params: {p: [v, w]}, metrics_path: /x}]")
        let discovered = TargetLabels.discovered(
            job, target: ["__address__": "h:1", "own": "t"], group: ["own": "g", "extra": "e", "job": "mine"])
        #expect(
            discovered == [
                "__address__": "h:1", "own": "t", "extra": "e", "job": "mine", "__scrape_interval__": "1m",
                "__scrape_timeout__": "10s", "__metrics_path__": "/x", "__scheme__": "http", "__param_p": "v",
                "__convert_classic_histograms_to_nhcb__": "false", "__always_scrape_classic_histograms__": "false",
                "__scrape_native_histograms__": "false",
            ])
        let labels = try #require(try TargetLabels.relabelled(job, discovered: discovered))
        #expect(labels["instance"] == "h:1")
    }

    @Test(
        arguments: [
            ("__address__: ''", "no address"), ("__address__: a/b", "\"a/b\" is not a valid hostname"),
            ("__scrape_interval__: x", "error parsing scrape interval: not a valid duration string: \"x\""),
            ("__scrape_timeout__: '0'", "scrape timeout cannot be 0"),
            ("__scrape_timeout__: 5m", "scrape timeout cannot be greater than scrape interval (\"5m\" > \"1m\")"),
            (
                "__scrape_native_histograms__: maybe",
                "error parsing scrape native histograms: strconv.ParseBool: parsing \"maybe\": invalid syntax"
            ),
        ])
    func `a target that cannot be scraped says why`(_ rule: String, _ message: String) throws {
        let parts = rule.split(separator: ":", maxSplits: 1)
        let job = try configuration(
            "scrape_configs: [{job_name: j, relabel_configs: [{target_label: \(parts[0]), replacement: \(parts[1])}]}]")
        let discovered = TargetLabels.discovered(job, target: ["__address__": "h:1"], group: .empty)
        #expect(throws: TargetLabels.Invalid(description: message)) {
            try TargetLabels.relabelled(job, discovered: discovered)
        }
    }
}
