package import MetricModel

/// A condition on one label: `job="api"`, `code=~"5.."`.
///
/// A label that is not there has the empty value. Regular expressions match whole values.
package struct Matcher: Sendable {
    /// How the label's value is compared.
    package enum Operation: String, Sendable, Hashable {
        case equal = "="
        case notEqual = "!="
        case matches = "=~"
        case matchesNot = "!~"
    }

    /// Of the label.
    package let name: ByteString
    /// How values are compared.
    package let operation: Operation
    /// The value, or the pattern.
    package let value: ByteString
    /// Compiled once; nil for `=` and `!=`.
    package let expression: RegularExpression?

    /// A matcher.
    /// - Throws: ``RegularExpression/CompileError`` for a bad pattern.
    package init(
        _ name: ByteString, _ operation: Operation, _ value: ByteString
    ) throws(RegularExpression.CompileError) {
        self.name = name
        self.operation = operation
        self.value = value
        switch operation {
        case .equal, .notEqual: expression = nil
        case .matches, .matchesNot: expression = try RegularExpression(value)
        }
    }

    /// A matcher for equality, which cannot fail.
    package init(_ name: ByteString, equals value: ByteString) {
        self.name = name
        self.operation = .equal
        self.value = value
        self.expression = nil
    }

    /// Whether a label value (empty where the label is missing) fulfils the condition.
    package func matches(_ candidate: ByteString) -> Bool {
        switch operation {
        case .equal: candidate == value
        case .notEqual: candidate != value
        case .matches: expression?.matches(candidate) ?? false
        case .matchesNot: !(expression?.matches(candidate) ?? true)
        }
    }

    /// Whether a label value, lent for the call, fulfils the condition.
    package func matches(_ candidate: UnsafeRawBufferPointer) -> Bool {
        switch operation {
        case .equal: candidate.elementsEqual(value.bytes)
        case .notEqual: !candidate.elementsEqual(value.bytes)
        case .matches: expression?.matches(candidate) ?? false
        case .matchesNot: !(expression?.matches(candidate) ?? true)
        }
    }

    /// Whether `labels` fulfil the condition.
    /// - Complexity: O(bytes), and what the pattern takes; no allocation.
    package func matches(_ labels: Labels) -> Bool {
        guard let range = labels.range(of: name) else { return matchesEmpty }
        return labels.packedBytes[range].withUnsafeBytes { matches($0) }
    }

    /// Whether a series without the label fulfils the condition.
    package var matchesEmpty: Bool { matches("") }

    /// The only values that `=` and `=~` accept, or that `!=` and `!~` refuse, sorted; nil if there is no list of them.
    package var texts: [ByteString]? {
        switch operation {
        case .equal, .notEqual: return [value]
        case .matches, .matchesNot:
            guard case .texts(let texts)? = expression?.shape else { return nil }
            return texts
        }
    }

    /// The literal that every value that matches the pattern starts with; empty if there is none.
    package var prefix: ByteString { expression?.shape.prefix ?? value }
}

extension Matcher: Hashable {
    package static func == (left: Matcher, right: Matcher) -> Bool {
        left.name == right.name && left.operation == right.operation && left.value == right.value
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(operation)
        hasher.combine(value)
    }
}

extension Matcher: CustomStringConvertible {
    /// `name="value"`, the name quoted where it needs it.
    package var description: String {
        let label = LegacyNames.isLabelName(name) ? name.string : Quoting.quote(name)
        return "\(label)\(operation.rawValue)\(Quoting.quote(value))"
    }
}
