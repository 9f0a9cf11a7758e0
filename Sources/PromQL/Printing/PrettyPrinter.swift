/// Text over several lines: what `format_query` answers.
///
/// Source: prometheus/prometheus promql/parser/prettier.go.
extension Expression {
    /// The longest text, in bytes, that stays on one line.
    private static let longestLine = 100

    /// The expression with every part that is longer than a line broken and indented by two spaces a level.
    /// - Complexity: O(length × depth).
    package var prettyText: String { pretty(level: 0) }

    private func pretty(level: Int) -> String {
        let indent = String(repeating: "  ", count: level)
        let line = description
        let fits = line.utf8.count <= Self.longestLine
        switch self {
        case .number, .string, .vector, .matrix: return indent + line
        case .subquery(let subquery):
            // Upstream does not indent a subquery that fits.
            return fits ? line : subquery.expression.pretty(level: level) + subquery.suffix
        case .unary(let unary):
            return indent + unary.operation.rawValue
                + Self.trimmed(unary.expression.pretty(level: level))
        case .paren(let paren):
            return fits ? indent + line : "\(indent)(\n\(paren.expression.pretty(level: level + 1))\n\(indent))"
        case .binary(let binary):
            if fits { return indent + line }
            let left = binary.left.pretty(level: level + 1)
            return "\(left)\n\(indent)\(binary.operatorText)\n\(binary.right.pretty(level: level + 1))"
        case .aggregate(let aggregate):
            if fits { return indent + line }
            let parts = [aggregate.parameter, aggregate.expression].compactMap { $0?.pretty(level: level + 1) }
            return "\(indent)\(aggregate.operatorText)(\n\(parts.joined(separator: ",\n"))\n\(indent))"
        case .call(let call):
            if fits { return indent + line }
            let parts = call.arguments.map { $0.pretty(level: level + 1) }
            return "\(indent)\(call.function.rawValue)(\n\(parts.joined(separator: ",\n"))\n\(indent))"
        }
    }

    /// Without space at either end.
    private static func trimmed(_ text: String) -> Substring {
        let isSpace = { (character: Character) in character == " " || character == "\n" }
        var result = text.drop(while: isSpace)
        while let last = result.last, isSpace(last) { result.removeLast() }
        return result
    }
}
