internal import ByteCoding
internal import Matching
internal import MetricModel

/// The syntax tree as JSON, for `parse_query` and the tree view of the web pages.
///
/// Source of the form: prometheus/prometheus web/api/v1/translate_ast.go; keys are in alphabetical order.
extension Expression {
    /// The tree as JSON bytes.
    /// - Complexity: O(length).
    package var json: [UInt8] {
        var bytes: [UInt8] = []
        tree.append(to: &bytes)
        return bytes
    }

    fileprivate var tree: JSONField {
        switch self {
        case .number(let literal): ["type": "numberLiteral", "val": .text(FloatText.string(literal.value, .fixed))]
        case .string(let literal): ["type": "stringLiteral", "val": .bytes(literal.value)]
        case .vector(let selector): .node(selector.fields(type: "vectorSelector"))
        case .matrix(let matrix):
            .node(
                matrix.selector.fields(type: "matrixSelector") + [
                    ("range", .milliseconds(matrix.range)), ("rangeExpr", .duration(matrix.rangeExpression)),
                ])
        case .subquery(let subquery): subquery.tree
        case .unary(let unary):
            ["type": "unaryExpr", "op": .text(unary.operation.rawValue), "expr": unary.expression.tree]
        case .paren(let paren): ["type": "parenExpr", "expr": paren.expression.tree]
        case .binary(let binary):
            [
                "type": "binaryExpr", "op": .text(binary.operation.rawValue), "lhs": binary.left.tree,
                "rhs": binary.right.tree, "matching": binary.matching?.tree ?? .null, "bool": .flag(binary.returnsBool),
            ]
        case .aggregate(let aggregate):
            [
                "type": "aggregation", "op": .text(aggregate.operation.rawValue), "expr": aggregate.expression.tree,
                "param": aggregate.parameter?.tree ?? .null, "grouping": .list(aggregate.grouping.map { .bytes($0) }),
                "without": .flag(aggregate.isWithout),
            ]
        case .call(let call):
            [
                "type": "call", "func": call.function.tree, "args": .list(call.arguments.map(\.tree)),
            ]
        }
    }
}

extension Function {
    fileprivate var tree: JSONField {
        let signature = signature
        return [
            "name": .text(rawValue), "argTypes": .list(signature.arguments.map { .text($0.rawValue) }),
            "variadic": .number(Int64(signature.variadic)), "returnType": .text(signature.returnType.rawValue),
        ]
    }
}

extension VectorMatching {
    fileprivate var tree: JSONField {
        let number = { (value: Double?) in value.flatMap(JSONText.number).map { JSONField.raw($0) } ?? .null }
        return [
            "card": .text(cardinality.rawValue), "labels": .list(labels.map { .bytes($0) }), "on": .flag(isOn),
            "include": .list(include.map { .bytes($0) }),
            "fillValues": ["lhs": number(leftFill), "rhs": number(rightFill)],
        ]
    }
}

extension VectorSelector {
    fileprivate func fields(type: String) -> [(String, JSONField)] {
        let matchers = matchers.map { matcher -> JSONField in
            [
                "name": .bytes(matcher.name), "type": .text(matcher.operation.rawValue), "value": .bytes(matcher.value),
            ]
        }
        return [
            ("type", .text(type)), ("name", .bytes(name)), ("offset", .milliseconds(offset.duration)),
            ("offsetExpr", .duration(offset.expression)), ("matchers", .list(matchers)),
            ("timestamp", at.timestampTree), ("startOrEnd", at.startOrEndTree),
            ("anchored", .flag(rangeExtension == .anchored)), ("smoothed", .flag(rangeExtension == .smoothed)),
        ]
    }
}

extension Subquery {
    fileprivate var tree: JSONField {
        [
            "type": "subquery", "expr": expression.tree, "range": .milliseconds(range),
            "rangeExpr": .duration(rangeExpression), "offset": .milliseconds(offset.duration),
            "offsetExpr": .duration(offset.expression), "step": .milliseconds(step),
            "stepExpr": .duration(stepExpression), "timestamp": at.timestampTree, "startOrEnd": at.startOrEndTree,
        ]
    }
}

extension AtModifier? {
    fileprivate var timestampTree: JSONField {
        if case .timestamp(let timestamp) = self { .number(timestamp) } else { .null }
    }

    fileprivate var startOrEndTree: JSONField {
        switch self {
        case .start: "start"
        case .end: "end"
        case .timestamp, nil: .null
        }
    }
}

extension DurationExpression.Operand {
    fileprivate var tree: JSONField {
        switch self {
        case .expression(let expression): .duration(expression)
        case .literal(let literal):
            [
                "type": "numberLiteral", "val": .text(FloatText.string(literal.value, .fixed)),
                "duration": .flag(literal.isDuration),
            ]
        }
    }
}

/// Nodes are written as dictionary literals; their fields come in the order of their names.
extension JSONField: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral {
    init(stringLiteral value: String) { self = .text(value) }

    init(dictionaryLiteral elements: (String, JSONField)...) { self = .node(elements) }

    fileprivate static func node(_ fields: [(String, JSONField)]) -> JSONField {
        .object(fields.sorted { $0.0 < $1.0 })
    }

    fileprivate static func number(_ number: Int64) -> JSONField { .raw("\(number)") }

    fileprivate static func milliseconds(_ duration: QueryDuration) -> JSONField { .number(duration.milliseconds) }

    fileprivate static func duration(_ expression: DurationExpression?) -> JSONField {
        guard let expression else { return .null }
        return [
            "type": "durationExpr", "op": .text(expression.operation.rawValue), "lhs": expression.left?.tree ?? .null,
            "rhs": expression.right?.tree ?? .null, "wrapped": .flag(expression.isWrapped),
        ]
    }
}
