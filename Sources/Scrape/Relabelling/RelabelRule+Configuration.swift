internal import Matching
internal import MetricModel
internal import YAML

/// A rule as the file gives it; what it is checked against is known only when the whole scrape section is.
struct RelabelSection {
    private var sourceLabels: [ByteString]?
    private var separator = RelabelRule.defaultSeparator
    private var pattern: ByteString?
    private var modulus: UInt64 = 0
    private var targetLabel: ByteString = ""
    private var replacement = RelabelRule.defaultReplacement
    private var action: RelabelRule.Action? = .replace
    private var line: Int

    init(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        var read = RelabelSection(line: node.line)
        try decoder.fields(of: node, type: "relabel.plain") { key, value throws(YAMLError) in
            switch key {
            case "source_labels": read.sourceLabels = try Self.names(value, decoder)
            case "separator": read.separator = try decoder.bytes(value)
            case "regex": read.pattern = try decoder.bytes(value)
            case "modulus": read.modulus = decoder.unsigned(value, into: "uint64")
            case "target_label": read.targetLabel = try decoder.bytes(value)
            case "replacement": read.replacement = try decoder.bytes(value)
            case "action": read.action = value.isNull ? nil : try Self.action(value, decoder)
            default: return false
            }
            return true
        }
        // A bad pattern is reported where it stands, before the rest of the section is checked.
        _ = try Self.compiled(read, validation: .utf8)
        self = read
    }

    private init(line: Int) { self.line = line }

    private static func names(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> [ByteString] {
        var names: [ByteString] = []
        for item in decoder.items(node, type: "model.LabelNames") {
            let before = decoder.mismatches.count
            let name = try decoder.bytes(item)
            guard decoder.mismatches.count == before else { continue }
            guard NameValidation.utf8.isLabelName(name) else {
                throw .invalid("\(Quoting.quote(name)) is not a valid label name", line: item.line)
            }
            names.append(name)
        }
        return names
    }

    private static func action(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> RelabelRule.Action? {
        let before = decoder.mismatches.count
        let name = try decoder.string(node)
        guard decoder.mismatches.count == before else { return .replace }
        guard let action = RelabelRule.Action(rawValue: name.lowercased()) else {
            throw .invalid("unknown relabel action \(Quoting.quote(ByteString(name)))", line: node.line)
        }
        return action
    }

    private static func compiled(
        _ section: RelabelSection, validation: NameValidation
    ) throws(YAMLError) -> RelabelRule {
        do throws(RegularExpression.CompileError) {
            return try RelabelRule(
                action: section.action ?? .replace, sourceLabels: section.sourceLabels ?? [],
                separator: section.separator, pattern: section.pattern, modulus: section.modulus,
                targetLabel: section.targetLabel, replacement: section.replacement, validation: validation)
        } catch {
            throw .invalid(GoRegexpError.text(error, pattern: section.pattern ?? ""), line: section.line)
        }
    }

    /// The rule, if it keeps the rules for rules.
    /// - Throws: `YAMLError.invalid`, in Prometheus' words.
    func rule(_ validation: NameValidation) throws(YAMLError) -> RelabelRule {
        if let problem = problem(validation) { throw .invalid(problem, line: line) }
        return try Self.compiled(self, validation: validation)
    }

    private func problem(_ validation: NameValidation) -> String? {
        guard let action else { return "relabel action cannot be empty" }
        let name = action.rawValue
        if modulus == 0, action == .hashmod { return "relabel configuration for hashmod requires non-zero modulus" }
        switch action {
        case .replace, .hashmod, .lowercase, .uppercase, .keepEqual, .dropEqual:
            if targetLabel.isEmpty { return "relabel configuration for \(name) action requires 'target_label' value" }
            let isTemplate = action == .replace && targetLabel.bytes.contains(UInt8(ascii: "$"))
            let isValid = isTemplate ? isName(targetLabel, validation) : validation.isLabelName(targetLabel)
            if !isValid { return "\(Quoting.quote(targetLabel)) is invalid 'target_label' for \(name) action" }
        case .labelmap:
            if !isName(replacement, validation) {
                return "\(Quoting.quote(replacement)) is invalid 'replacement' for labelmap action"
            }
        case .keep, .drop, .labeldrop, .labelkeep: break
        }
        return excess(action)
    }

    /// What is set although the action has no use for it.
    private func excess(_ action: RelabelRule.Action) -> String? {
        let name = action.rawValue
        let hasOwnText = separator != RelabelRule.defaultSeparator || replacement != RelabelRule.defaultReplacement
        switch action {
        case .lowercase, .uppercase, .keepEqual, .dropEqual:
            if replacement != RelabelRule.defaultReplacement {
                return "'replacement' can not be set for \(name) action"
            }
            if action == .keepEqual || action == .dropEqual, pattern != nil || modulus != 0 || hasOwnText {
                return "\(name) action requires only 'source_labels' and `target_label`, and no other fields"
            }
        case .labeldrop, .labelkeep:
            if sourceLabels != nil || !targetLabel.isEmpty || modulus != 0 || hasOwnText {
                return "\(name) action requires only 'regex', and no other fields"
            }
        case .replace, .keep, .drop, .hashmod, .labelmap: break
        }
        return nil
    }

    private func isName(_ text: ByteString, _ validation: NameValidation) -> Bool {
        switch validation {
        case .utf8: validation.isLabelName(text)
        case .legacy: Self.isLegacyTemplate(text.bytes)
        }
    }

    /// `^(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+$`
    private static func isLegacyTemplate(_ bytes: [UInt8]) -> Bool {
        func isWord(_ byte: UInt8) -> Bool {
            byte >= 0x30 && byte <= 0x39 || (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A || byte == UInt8(ascii: "_")
        }
        var rest = bytes[...]
        guard let first = rest.first, first < 0x30 || first > 0x39 else { return false }
        while let byte = rest.first {
            rest = rest.dropFirst()
            if isWord(byte) { continue }
            guard byte == UInt8(ascii: "$") else { return false }
            if rest.first == UInt8(ascii: "{") {
                rest = rest.dropFirst()
                let word = rest.prefix(while: isWord)
                rest = rest.dropFirst(word.count)
                guard !word.isEmpty, rest.first == UInt8(ascii: "}") else { return false }
                rest = rest.dropFirst()
            } else {
                guard let next = rest.first, isWord(next) else { return false }
            }
        }
        return true
    }
}

extension RelabelRule {
    /// The rule as it is written to a file.
    var yaml: YAMLValue {
        var fields = YAMLFields()
        if !sourceLabels.isEmpty { fields.set("source_labels", .flow(sourceLabels.map { .text($0) })) }
        fields.set("separator", .text(separator))
        if hasRegex { fields.set("regex", .text(regex.pattern)) }
        fields.number("modulus", modulus)
        if !targetLabel.text.isEmpty { fields.set("target_label", .text(targetLabel.text)) }
        fields.set("replacement", .text(replacement.text))
        fields.set("action", .text(action.rawValue))
        return fields.mapping
    }
}

/// What is wrong with a regular expression, as Prometheus reports it for relabelling.
enum GoRegexpError {
    /// `error parsing regexp: missing closing ): …` for `pattern`, which Prometheus wraps before compiling.
    static func text(_ error: RegularExpression.CompileError, pattern: ByteString) -> String {
        let shown: String
        switch error.reason {
        case "missing closing )", "unexpected )": shown = "^(?s:\(pattern))$"
        case "missing closing ]", "invalid named capture": shown = error.argument + ")$"
        default: shown = error.argument
        }
        return "error parsing regexp: \(error.reason): `\(shown)`"
    }
}
