internal import Matching
internal import MetricModel

/// Selectors, metrics and label lists.
extension SyntaxParser {
    // MARK: Selectors

    /// A selector as `match[]` takes it.
    mutating func metricSelector() throws(ParseError) -> VectorSelector {
        let token = try peek()
        if token.kind == .leftBrace { return try selector(named: nil) }
        guard token.kind.canBeMetricName else { throw unexpected(.none) }
        try take()
        return try selector(named: token)
    }

    /// A selector whose name, if there is one, has been read.
    mutating func selector(named name: Token?) throws(ParseError) -> VectorSelector {
        var selector = VectorSelector(
            name: name?.text ?? "", matchers: [], position: name?.position ?? lastTokenPosition)
        if try peek().kind == .leftBrace {
            let open = try take().position
            selector.matchers = try matchers()
            selector.position = PositionRange(name?.position.start ?? open.start, lastClosing)
        }
        if let name { selector.matchers.append(Matcher(Labels.metricName, equals: name.text)) }
        return selector
    }

    private var lastTokenPosition: PositionRange { PositionRange(lastClosing, lastClosing) }

    /// Conditions up to the closing brace.
    private mutating func matchers() throws(ParseError) -> [Matcher] {
        var matchers: [Matcher] = []
        while try take(.rightBrace) == nil {
            matchers.append(try matcher())
            if try take(.comma) == nil, try peek().kind != .rightBrace {
                throw unexpected("label matching", expected: "\",\" or \"}\"")
            }
        }
        return matchers
    }

    private mutating func matcher() throws(ParseError) -> Matcher {
        let label = try peek()
        let name: ByteString
        switch label.kind {
        case .identifier: name = label.text
        case .string: name = label.unquoted
        default: throw unexpected("label matching", expected: "identifier or \"}\"")
        }
        try take()
        let operation: Matcher.Operation
        switch try peek().kind {
        case .equalSign: operation = .equal
        case .binary(.notEqual): operation = .notEqual
        case .equalRegex: operation = .matches
        case .notEqualRegex: operation = .matchesNot
        default:
            if label.kind == .string { return Matcher(Labels.metricName, equals: name) }
            throw unexpected("label matching", expected: "label matching operator")
        }
        try take()
        let value = try peek()
        guard value.kind == .string else { throw unexpected("label matching", expected: "string") }
        try take()
        do throws(RegularExpression.CompileError) {
            return try Matcher(name, operation, value.unquoted)
        } catch {
            // Upstream ends a quoted label's range by its unquoted length, which nothing shows.
            throw failure(error.message, at: PositionRange(label.position.start, value.position.end))
        }
    }

    // MARK: Metrics

    mutating func metric() throws(ParseError) -> Labels {
        let token = try peek()
        var builder = LabelsBuilder()
        if token.kind.canBeMetricName { try take() }
        if try take(.leftBrace) != nil {
            while try take(.rightBrace) == nil {
                try labelPair(into: &builder)
                if try take(.comma) == nil, try peek().kind != .rightBrace {
                    throw unexpected("label set", expected: "\",\" or \"}\"")
                }
            }
        }
        if token.kind.canBeMetricName { builder.set(Labels.metricName, token.text) }
        return builder.labels()
    }

    private mutating func labelPair(into builder: inout LabelsBuilder) throws(ParseError) {
        let label = try peek()
        guard label.kind == .identifier || label.kind == .string else {
            throw unexpected("label set", expected: "identifier or \"}\"")
        }
        try take()
        if try take(.equalSign) == nil {
            guard label.kind == .string else { throw unexpected("label set", expected: "\"=\"") }
            builder.set(Labels.metricName, label.unquoted)
            return
        }
        let value = try peek()
        guard value.kind == .string else { throw unexpected("label set", expected: "string") }
        try take()
        builder.set(label.kind == .string ? label.unquoted : label.text, value.unquoted)
    }

    // MARK: Lists of label names

    /// `(a, b)` behind `by`, `on` and the like.
    mutating func groupingLabels() throws(ParseError) -> [ByteString] {
        guard try take(.leftParen) != nil else { throw unexpected("grouping opts", expected: "\"(\"") }
        var labels: [ByteString] = []
        while try take(.rightParen) == nil {
            labels.append(try groupingLabel())
            if try take(.comma) == nil, try peek().kind != .rightParen {
                throw unexpected("grouping opts", expected: "\",\" or \")\"")
            }
        }
        return labels
    }

    private mutating func groupingLabel() throws(ParseError) -> ByteString {
        let token = try peek()
        if token.kind.canBeLabelName {
            try take()
            return token.text
        }
        guard token.kind == .string else { throw unexpected("grouping opts", expected: "label") }
        try take()
        let name = token.unquoted
        guard NameValidation.utf8.isLabelName(name) else {
            throw failure("invalid label name for grouping: \(Quoting.quote(name))", at: token.position)
        }
        return name
    }
}
