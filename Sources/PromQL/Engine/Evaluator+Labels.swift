internal import Matching
internal import MetricModel

extension Evaluator {
    /// `label_replace`.
    func labelReplace(_ plan: CallPlan) throws -> [StepRow] {
        let texts = plan.arguments.dropFirst().map(Self.text)
        let (target, replacement, source, pattern) = (texts[0], texts[1], texts[2], texts[3])
        let expression: RegularExpression
        do throws(RegularExpression.CompileError) {
            expression = try RegularExpression(pattern)
        } catch {
            throw QueryError.execution("invalid regular expression in label_replace(): \(pattern)")
        }
        guard NameValidation.utf8.isLabelName(target) else {
            throw QueryError.execution("invalid destination label name in label_replace(): \(target)")
        }
        let template = ReplacementTemplate(replacement, expression)
        return try relabelled(try evaluate(plan.arguments[0]), target) { labels in
            let value = labels[source] ?? ""
            return expression.groups(in: value).map { template.expand(value, $0) }
        }
    }

    /// `label_join`.
    func labelJoin(_ plan: CallPlan) throws -> [StepRow] {
        let texts = plan.arguments.dropFirst().map(Self.text)
        let (target, separator, sources) = (texts[0], texts[1], texts.dropFirst(2))
        for source in sources where !NameValidation.utf8.isLabelName(source) {
            throw QueryError.execution("invalid source label name in label_join(): \(source)")
        }
        guard NameValidation.utf8.isLabelName(target) else {
            throw QueryError.execution("invalid destination label name in label_join(): \(target)")
        }
        return try relabelled(try evaluate(plan.arguments[0]), target) { labels in
            var joined: [UInt8] = []
            for (index, source) in sources.enumerated() {
                if index > 0 { joined += separator.bytes }
                joined += (labels[source] ?? "").bytes
            }
            return ByteString(joined)
        }
    }

    /// The rows with `target` set to what `value` gives; nil leaves a row as it is.
    private func relabelled(
        _ rows: [StepRow], _ target: ByteString, _ value: (Labels) -> ByteString?
    ) throws -> [StepRow] {
        var rows = rows
        for index in rows.indices {
            try context.control.check()
            guard let new = value(rows[index].labels) else { continue }
            rows[index].labels = rows[index].labels.setting(target, new)
            if target == Labels.metricName { rows[index].dropName = false }
        }
        return try joined(rows, mayMix: true)
    }

    private static func text(_ node: PlanNode) -> ByteString {
        if case .string(let text) = node { text } else { "" }
    }
}

/// A replacement text with references to groups of a regular expression: `$1`, `${1}`, `$name`, `$$`.
///
/// Source of the rules: Go's regexp (`Expand`).
struct ReplacementTemplate {
    private enum Part {
        case text([UInt8])
        case group(Int)
    }

    private var parts: [Part] = []

    init(_ template: ByteString, _ expression: RegularExpression) {
        var names: [ByteString: Int] = [:]
        for index in 1..<max(1, expression.groupCount + 1) {
            if let name = expression.groupName(index) { names[name] = index }
        }
        let bytes = template.bytes
        var text: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count else {
                text.append(bytes[index])
                index += 1
                continue
            }
            if bytes[index + 1] == UInt8(ascii: "$") {
                text.append(UInt8(ascii: "$"))
                index += 2
                continue
            }
            guard let (name, next) = Self.name(bytes, from: index + 1) else {
                text.append(bytes[index])
                index += 1
                continue
            }
            if !text.isEmpty { parts.append(.text(text)) }
            text = []
            if name.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) {
                // Too many digits are no group's number.
                parts.append(.group(Int(String(decoding: name, as: UTF8.self)) ?? .max))
            } else {
                parts.append(.group(names[ByteString(name)] ?? .max))
            }
            index = next
        }
        if !text.isEmpty { parts.append(.text(text)) }
    }

    /// The name behind a `$` and where the text goes on; nil if it is no reference.
    private static func name(_ bytes: [UInt8], from start: Int) -> (ArraySlice<UInt8>, Int)? {
        let isBraced = bytes[start] == UInt8(ascii: "{")
        let first = isBraced ? start + 1 : start
        var end = first
        while end < bytes.count, isWord(bytes[end]) { end += 1 }
        guard end > first else { return nil }
        if isBraced {
            guard end < bytes.count, bytes[end] == UInt8(ascii: "}") else { return nil }
            return (bytes[first..<end], end + 1)
        }
        return (bytes[first..<end], end)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
            || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") || byte >= 0x80
    }

    /// The text for a match in `value`.
    func expand(_ value: ByteString, _ groups: [Range<Int>?]) -> ByteString {
        var result: [UInt8] = []
        for part in parts {
            switch part {
            case .text(let text): result += text
            case .group(let number):
                if number < groups.count, let range = groups[number] { result += value.bytes[range] }
            }
        }
        return ByteString(result)
    }
}
