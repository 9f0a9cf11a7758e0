internal import ByteCoding
internal import Matching
internal import MetricModel

/// Canonical text: what `format_query` starts from, and what query logs and error messages show.
///
/// Source: prometheus/prometheus promql/parser/printer.go.
extension Expression: CustomStringConvertible {
    /// The expression on one line, with canonical spacing. Parsing it again gives the same tree.
    /// - Complexity: O(length).
    package var description: String {
        var text = ""
        append(to: &text)
        return text
    }

    func append(to text: inout String) {
        switch self {
        case .number(let literal): text += literal.description
        case .string(let literal): text += Quoting.quote(literal.value)
        case .vector(let selector): text += selector.description
        case .matrix(let matrix): text += matrix.description
        case .subquery(let subquery):
            subquery.expression.append(to: &text)
            text += subquery.suffix
        case .unary(let unary):
            text += unary.operation.rawValue
            unary.expression.append(to: &text)
        case .paren(let paren):
            text += "("
            paren.expression.append(to: &text)
            text += ")"
        case .binary(let binary):
            binary.left.append(to: &text)
            text += " \(binary.operatorText) "
            binary.right.append(to: &text)
        case .aggregate(let aggregate):
            text += aggregate.operatorText + "("
            if let parameter = aggregate.parameter {
                parameter.append(to: &text)
                text += ", "
            }
            aggregate.expression.append(to: &text)
            text += ")"
        case .call(let call):
            text += call.function.rawValue + "("
            for (index, argument) in call.arguments.enumerated() {
                if index > 0 { text += ", " }
                argument.append(to: &text)
            }
            text += ")"
        }
    }
}

extension NumberLiteral: CustomStringConvertible {
    /// The number without exponent, or the duration with units.
    package var description: String {
        guard isDuration else { return FloatText.string(value, .fixed) }
        let nanoseconds = (value.magnitude * 1e9).rounded(.towardZero)
        let text = DurationGrammar.text(QueryDuration(nanoseconds: Int64(exactly: nanoseconds) ?? .max))
        return value < 0 ? "-" + text : text
    }
}

extension VectorSelector: CustomStringConvertible {
    /// Name, conditions in alphabetical order, `@`, extension and offset.
    package var description: String {
        var text = bare
        if let at { text += at.suffix }
        if let rangeExtension { text += " \(rangeExtension.rawValue)" }
        return text + offset.suffix
    }

    /// Name and conditions only.
    fileprivate var bare: String {
        let conditions =
            matchers.filter { matcher in
                !(matcher.name == Labels.metricName && matcher.operation == .equal && matcher.value == name
                    && !name.isEmpty)
            }.map(\.description).sorted { ByteString($0) < ByteString($1) }
        return conditions.isEmpty ? name.string : "\(name){\(conditions.joined(separator: ","))}"
    }
}

extension MatrixSelector: CustomStringConvertible {
    /// The selector with its range, modifiers behind the brackets.
    package var description: String {
        var text = "\(selector.bare)[\(rangeExpression?.description ?? DurationGrammar.text(range))]"
        if let rangeExtension = selector.rangeExtension { text += " \(rangeExtension.rawValue)" }
        if let at = selector.at { text += at.suffix }
        return text + selector.offset.suffix
    }
}

extension Subquery {
    /// Brackets and modifiers.
    var suffix: String {
        let stepText =
            step != .zero ? DurationGrammar.text(step) : stepExpression?.description ?? ""
        let rangeText = rangeExpression?.description ?? DurationGrammar.text(range)
        return "[\(rangeText):\(stepText)]\(at?.suffix ?? "")\(offset.suffix)"
    }
}

extension AtModifier {
    fileprivate var suffix: String {
        switch self {
        case .timestamp(let timestamp): " @ \(DecimalText.fixed(Double(timestamp) / 1000, digits: 3))"
        case .start: " @ start()"
        case .end: " @ end()"
        }
    }
}

extension OffsetModifier {
    fileprivate var suffix: String {
        if let expression { return " offset \(expression)" }
        return duration == .zero ? "" : " offset \(duration.signedText)"
    }
}

extension QueryDuration {
    /// As text; a negative one of less than a millisecond is `-0s`.
    fileprivate var signedText: String {
        nanoseconds < 0
            ? "-" + DurationGrammar.text(QueryDuration(nanoseconds: 0 &- nanoseconds)) : DurationGrammar.text(self)
    }
}

extension DurationExpression: CustomStringConvertible {
    /// The arithmetic as text, in parentheses if it stood in some.
    package var description: String { isWrapped ? "(\(inner))" : inner }

    private var inner: String {
        switch (operation, left, right) {
        case (.step, _, _): "step()"
        case (.range, _, _): "range()"
        case (.minOf, let left?, let right?), (.maxOf, let left?, let right?):
            "\(operation.rawValue)(\(left), \(right))"
        case (.add, nil, let right?): right.description
        case (_, nil, let right?): "\(operation.rawValue)\(right)"
        case (_, let left?, let right?): "\(left) \(operation.rawValue) \(right)"
        case (_, _, nil): operation.rawValue
        }
    }
}

extension DurationExpression.Operand: CustomStringConvertible {
    /// The number or the arithmetic as text.
    package var description: String {
        switch self {
        case .literal(let literal): literal.description
        case .expression(let expression): expression.description
        }
    }
}

extension AggregateExpression {
    /// Operator and grouping, up to the parenthesis.
    var operatorText: String {
        if isWithout { return "\(operation.rawValue) without (\(LabelList.text(grouping))) " }
        return grouping.isEmpty ? operation.rawValue : "\(operation.rawValue) by (\(LabelList.text(grouping))) "
    }
}

extension BinaryExpression {
    /// Operator and its modifiers.
    var operatorText: String {
        var text = operation.rawValue + (returnsBool ? " bool" : "")
        guard let matching else { return text }
        let groups = matching.cardinality == .manyToOne || matching.cardinality == .oneToMany
        if !matching.labels.isEmpty || matching.isOn || groups {
            text += " \(matching.isOn ? "on" : "ignoring") (\(LabelList.text(matching.labels)))"
        }
        if groups {
            let side = matching.cardinality == .manyToOne ? "left" : "right"
            text += " group_\(side) (\(LabelList.text(matching.include)))"
        }
        if let left = matching.leftFill, left == matching.rightFill {
            return text + " fill (\(FloatText.string(left, .general)))"
        }
        if let left = matching.leftFill { text += " fill_left (\(FloatText.string(left, .general)))" }
        if let right = matching.rightFill { text += " fill_right (\(FloatText.string(right, .general)))" }
        return text
    }
}

/// Lists of label names, quoted where they need it.
private enum LabelList {
    static func text(_ labels: [ByteString]) -> String {
        labels.map { LegacyNames.isLabelName($0) ? $0.string : Quoting.quote($0) }.joined(separator: ", ")
    }
}
