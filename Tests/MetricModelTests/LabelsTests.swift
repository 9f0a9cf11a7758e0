import MetricModel
import Testing

@Suite struct LabelsTests {
    @Test func `pairs come back sorted, empty values left out`() {
        let labels = Labels(["b": "2", "a": "1", "c": ""])
        #expect(labels.description == #"{a="1", b="2"}"#)
        #expect(labels["c"] == nil)
        #expect(labels.count == 2)
    }

    @Test func `canonically equivalent texts stay two values`() {
        #expect(Labels(["a": "\u{E9}"]) != Labels(["a": "e\u{301}"]))
    }

    @Test func `long values keep their bytes`() {
        let long = String(repeating: "x", count: 70_000)
        #expect(Labels(["a": "1", "b": long])["b"]?.string == long)
    }

    @Test func `order is by pair, a prefix first`() {
        let sorted = [
            Labels.empty, Labels(["a": "1"]), Labels(["a": "1", "b": "1"]), Labels(["a": "2"]), Labels(["b": "0"]),
        ]
        #expect(sorted.shuffled().sorted() == sorted)
        #expect(!(Labels(["a": "1"]) < Labels(["a": "1"])))
    }
}
