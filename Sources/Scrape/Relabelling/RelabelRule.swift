package import Matching
package import MetricModel

/// One rule that changes label sets or drops them.
///
/// Source: prometheus/prometheus model/relabel/relabel.go.
package struct RelabelRule: Sendable, Hashable {
    /// What a rule does.
    package enum Action: String, Sendable, Hashable, CaseIterable {
        case replace, keep, drop
        case keepEqual = "keepequal"
        case dropEqual = "dropequal"
        case hashmod, labelmap, labeldrop, labelkeep, lowercase, uppercase
    }

    /// `source_labels`: whose values are joined and matched.
    package var sourceLabels: [ByteString]
    /// `separator`: stands between them.
    package var separator: ByteString
    /// `regex`: must match the whole.
    package let regex: RegularExpression
    /// Whether a regular expression was written, if only the default one.
    package let hasRegex: Bool
    /// `modulus`: of `hashmod`.
    package var modulus: UInt64
    /// `target_label`: the label that is set.
    package let targetLabel: ReplacementTemplate
    /// `replacement`: what it is set to.
    package let replacement: ReplacementTemplate
    /// `action`.
    package var action: Action
    /// Which names a label may get.
    package var validation: NameValidation

    /// The pattern of a rule without one.
    package static let defaultPattern: ByteString = "(.*)"
    static let defaultSeparator: ByteString = ";"
    static let defaultReplacement: ByteString = "$1"

    /// A rule; `pattern` is matched against the whole of what the source labels hold.
    /// - Throws: `RegularExpression.CompileError`.
    package init(
        action: Action = .replace, sourceLabels: [ByteString] = [], separator: ByteString = ";",
        pattern: ByteString? = nil, modulus: UInt64 = 0, targetLabel: ByteString = "", replacement: ByteString = "$1",
        validation: NameValidation = .utf8
    ) throws(RegularExpression.CompileError) {
        self.action = action
        self.sourceLabels = sourceLabels
        self.separator = separator
        self.modulus = modulus
        self.validation = validation
        hasRegex = pattern != nil
        regex = try RegularExpression(pattern ?? Self.defaultPattern)
        let count = regex.groupCount
        let compiled = regex
        let names = [nil] + (0..<count).map { compiled.groupName($0 + 1) }
        self.targetLabel = ReplacementTemplate(targetLabel, groupNames: names)
        self.replacement = ReplacementTemplate(replacement, groupNames: names)
    }

    /// The set that `rules` make of `labels`, in order; nil if one drops it.
    /// - Complexity: O(rules × labels).
    package static func apply(_ rules: [RelabelRule], to labels: Labels) -> Labels? {
        if rules.isEmpty { return labels }
        var builder = LabelsBuilder(labels)
        for rule in rules where !rule.apply(to: &builder) { return nil }
        return builder.labels()
    }

    /// Changes `labels` as the rule says.
    /// - Returns: false if the rule drops the set.
    package func apply(to labels: inout LabelsBuilder) -> Bool {
        switch action {
        case .drop: return !regex.matches(value(in: labels))
        case .keep: return regex.matches(value(in: labels))
        case .dropEqual: return (labels[targetLabel.text] ?? "") != value(in: labels)
        case .keepEqual: return (labels[targetLabel.text] ?? "") == value(in: labels)
        case .replace: replace(in: &labels)
        case .lowercase: labels.set(targetLabel.text, Self.mapped(value(in: labels)) { $0.lowercaseMapping })
        case .uppercase: labels.set(targetLabel.text, Self.mapped(value(in: labels)) { $0.uppercaseMapping })
        case .hashmod:
            guard modulus > 0 else { return true }
            let remainder = MD5.lowerHalf(of: value(in: labels).bytes) % modulus
            labels.set(targetLabel.text, ByteString("\(remainder)"))
        case .labelmap:
            for pair in labels.labels().pairs {
                guard let groups = regex.groups(in: pair.name) else { continue }
                labels.set(replacement.expanded(pair.name, groups: groups), pair.value)
            }
        case .labeldrop: labels.filter { !regex.matches($0) }
        case .labelkeep: labels.filter { regex.matches($0) }
        }
        return true
    }

    private func value(in labels: LabelsBuilder) -> ByteString {
        if sourceLabels.count == 1, let only = sourceLabels.first { return labels[only] ?? "" }
        var joined: [UInt8] = []
        for (index, name) in sourceLabels.enumerated() {
            if index > 0 { joined.append(contentsOf: separator.bytes) }
            if let value = labels[name] { joined.append(contentsOf: value.bytes) }
        }
        return ByteString(joined)
    }

    private func replace(in labels: inout LabelsBuilder) {
        let value = value(in: labels)
        if value.isEmpty, !hasRegex, targetLabel.isConstant, replacement.isConstant {
            labels.set(targetLabel.text, replacement.text)
            return
        }
        guard let groups = regex.groups(in: value) else { return }
        let target = targetLabel.expanded(value, groups: groups)
        guard validation.isLabelName(target) else { return }
        labels.set(target, replacement.expanded(value, groups: groups))
    }

    /// `text` with each character mapped, where its image is one character, as Go's `strings.ToLower` maps runes.
    private static func mapped(_ text: ByteString, _ mapping: (Unicode.Scalar.Properties) -> String) -> ByteString {
        var result = String.UnicodeScalarView()
        for scalar in text.string.unicodeScalars {
            let image = mapping(scalar.properties).unicodeScalars
            if image.count == 1, let only = image.first { result.append(only) } else { result.append(scalar) }
        }
        return ByteString(String(result))
    }

    package static func == (left: RelabelRule, right: RelabelRule) -> Bool {
        left.action == right.action && left.sourceLabels == right.sourceLabels && left.separator == right.separator
            && left.hasRegex == right.hasRegex && left.regex.pattern == right.regex.pattern
            && left.modulus == right.modulus && left.targetLabel == right.targetLabel
            && left.replacement == right.replacement && left.validation == right.validation
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(action)
        hasher.combine(sourceLabels)
        hasher.combine(regex.pattern)
        hasher.combine(targetLabel)
        hasher.combine(replacement)
    }
}
