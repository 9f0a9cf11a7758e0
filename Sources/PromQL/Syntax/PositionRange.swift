/// Where a piece of syntax stands in the query text, in bytes from its beginning; the end is exclusive.
///
/// Source: prometheus/prometheus promql/parser/posrange.
package struct PositionRange: Sendable, Hashable {
    /// Byte offset of the first byte.
    package var start: Int
    /// Byte offset behind the last.
    package var end: Int

    /// From `start` up to but not including `end`.
    package init(_ start: Int, _ end: Int) {
        self.start = start
        self.end = end
    }

    /// Before the first byte, with no length: for errors about the query as a whole.
    package static let zero = PositionRange(0, 0)

    /// `line:column` of the start, both counted from 1 and columns in bytes; or a phrase where that means nothing.
    /// - Complexity: O(start).
    package func text(in query: some Collection<UInt8>) -> String {
        if query.isEmpty { return "unknown position" }
        guard start >= 0, start <= query.count else { return "invalid position" }
        var line = 1
        var lastLineBreak = -1
        for (index, byte) in query.prefix(start).enumerated() where byte == UInt8(ascii: "\n") {
            line += 1
            lastLineBreak = index
        }
        return "\(line):\(start - lastLineBreak)"
    }
}
