import Foundation

/// Where two answers differ.
struct Difference {
    /// What differs first: `error`, `type`, `labels`, `value`, `order`, `annotations` or `statistics`.
    let kind: String
    let text: String

    /// Nil if the answers are the same.
    init?(ours: [String], theirs: [String]) {
        let ours = ours.map(Self.comparable)
        let theirs = theirs.map(Self.comparable)
        if ours == theirs { return nil }
        let (a, b) = (Answer(ours), Answer(theirs))
        if a.errors != b.errors {
            kind = "error"
        } else if a.type != b.type {
            kind = "type"
        } else if Set(a.series.map(\.labels)) != Set(b.series.map(\.labels)) || a.series.count != b.series.count {
            kind = "labels"
        } else if a.sorted != b.sorted {
            kind = "value"
        } else if a.annotations.sorted() != b.annotations.sorted() {
            kind = "annotations"
        } else if a.series != b.series {
            kind = "order"
        } else if a.statistics != b.statistics {
            kind = "statistics"
        } else {
            // Annotations are sorted as they are there, and as they are quoted here.
            return nil
        }
        let (left, right) = (Set(ours), Set(theirs))
        let isOrder = kind == "order"
        let onlyOurs = ours.filter { isOrder || !right.contains($0) }.prefix(4).map { "  - \($0)" }
        let onlyTheirs = theirs.filter { isOrder || !left.contains($0) }.prefix(4).map { "  + \($0)" }
        text = (onlyOurs + onlyTheirs).joined(separator: "\n")
    }

    /// A line without what is left open.
    private static func comparable(_ line: String) -> String {
        var line = line
        // Whether an error is found before or during evaluation.
        for prefix in ["E new ", "E exec "] where line.hasPrefix(prefix) { line = "E " + line.dropFirst(prefix.count) }
        // Which series of several are named depends on the order of a hash table in upstream.
        if line.contains("found duplicate series") { return "E found duplicate series" }
        // Where a chunk begins, a store says nothing of resets; how many bytes a chunk has is its own affair.
        if let place = line.range(of: " hint=2") { line.replaceSubrange(place, with: " hint=0") }
        if let place = line.range(of: " zc=-0 ") { line.replaceSubrange(place, with: " zc=0 ") }
        return line
    }

    private struct Answer {
        struct Series: Equatable {
            var labels: String
            var points: [String] = []
        }

        var type = ""
        var errors: [String] = []
        var series: [Series] = []
        var annotations: [String] = []
        var statistics = ""

        var sorted: [Series] { series.sorted { ($0.labels, $0.points.joined()) < ($1.labels, $1.points.joined()) } }

        init(_ lines: [String]) {
            for line in lines {
                switch line.first {
                case "E": errors.append(line)
                case "T": type = line
                case "L": series.append(Series(labels: line))
                case "F", "H", "X":
                    if series.isEmpty { series.append(Series(labels: "")) }
                    series[series.count - 1].points.append(line)
                case "W", "I": annotations.append(line)
                case "N": statistics = line
                default: break
                }
            }
        }
    }
}
