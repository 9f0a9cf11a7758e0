package import MetricModel

/// Why a query was refused, and where.
///
/// Source of the form: prometheus/prometheus promql/parser/parse.go (`ParseErr`).
package struct ParseError: Error, Hashable, CustomStringConvertible {
    /// What is wrong, in upstream's words.
    package var message: String
    /// Where it stands in the text.
    package var position: PositionRange
    /// The text that was parsed.
    package var query: ByteString

    /// An error at `position` of `query`.
    package init(_ message: String, position: PositionRange, query: ByteString) {
        self.message = message
        self.position = position
        self.query = query
    }

    /// `1:5: parse error: …`, line and column of the start.
    package var description: String { "\(position.text(in: query.bytes)): parse error: \(message)" }
}
