internal import MetricModel
internal import YAML

/// The `otlp` section: how metrics that come by OTLP are named and labelled.
///
/// Source: prometheus/prometheus config/config.go (`OTLPConfig`).
package struct OTLPConfiguration: Sendable, Hashable {
    /// How names are made fit.
    package enum Strategy: String, Sendable, Hashable {
        case underscoresWithSuffixes = "UnderscoreEscapingWithSuffixes"
        case underscores = "UnderscoreEscapingWithoutSuffixes"
        case suffixes = "NoUTF8EscapingWithSuffixes"
        case none = "NoTranslation"
    }

    /// `translation_strategy`.
    package var strategy = Strategy.underscoresWithSuffixes
    /// All resource attributes become labels, but for ``ignoredAttributes``.
    package var promotesAllAttributes = false
    /// `promote_resource_attributes`: those that become labels.
    package var promotedAttributes: [String] = []
    /// `ignore_resource_attributes`: those that do not, where all others do.
    package var ignoredAttributes: [String] = []
    /// `service.name` and the like stay in `target_info`.
    package var keepsIdentifyingAttributes = false
    /// Explicit buckets become native histograms with custom buckets.
    package var convertsHistograms = false
    /// Name, version and attributes of scopes become labels.
    package var promotesScopes = false
    /// Label names that begin with an underscore get `key` before it.
    package var sanitizesUnderscores = true
    /// Several underscores in a row stay in label names.
    package var preservesUnderscores = true

    /// The defaults.
    package init() {}

    /// Whether names are brought to the legacy alphabet.
    package var escapes: Bool { strategy == .underscoresWithSuffixes || strategy == .underscores }

    /// Whether units and kinds are put behind names.
    package var addsSuffixes: Bool { strategy == .underscoresWithSuffixes || strategy == .suffixes }

    init(_ node: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) {
        var read = OTLPConfiguration()
        var strategy = read.strategy.rawValue
        let fits = try decoder.fields(of: node, type: "config.plain") { key, value throws(YAMLError) in
            switch key {
            case "promote_all_resource_attributes": read.promotesAllAttributes = decoder.boolean(value)
            case "promote_resource_attributes": read.promotedAttributes = try decoder.strings(value)
            case "ignore_resource_attributes": read.ignoredAttributes = try decoder.strings(value)
            case "translation_strategy":
                strategy = try decoder.string(value, into: "otlptranslator.TranslationStrategyOption")
            case "keep_identifying_resource_attributes": read.keepsIdentifyingAttributes = decoder.boolean(value)
            case "convert_histograms_to_nhcb": read.convertsHistograms = decoder.boolean(value)
            case "promote_scope_metadata": read.promotesScopes = decoder.boolean(value)
            case "label_name_underscore_sanitization": read.sanitizesUnderscores = decoder.boolean(value)
            case "label_name_preserve_multiple_underscores": read.preservesUnderscores = decoder.boolean(value)
            default: return false
            }
            return true
        }
        if fits, let fault = read.fault() { throw .invalid(fault, line: node.line) }
        if !strategy.isEmpty {
            if let known = Strategy(rawValue: strategy) {
                read.strategy = known
            } else {
                read.unknownStrategy = UnknownStrategy(name: strategy, line: node.line)
            }
        }
        self = read
    }

    /// A strategy that there is not; told of only once everything else fits.
    private struct UnknownStrategy: Sendable, Hashable {
        let name: String
        let line: Int
    }
    private var unknownStrategy: UnknownStrategy?

    /// - Throws: `YAMLError.invalid` if the strategy that the section names is unknown.
    func checkStrategy() throws(YAMLError) {
        guard let unknownStrategy else { return }
        throw .invalid(
            "unsupported OTLP translation strategy \(Quoting.quote(ByteString(unknownStrategy.name)))",
            line: unknownStrategy.line)
    }

    /// What is wrong with the attributes, which are trimmed.
    private mutating func fault() -> String? {
        if promotesAllAttributes {
            if !promotedAttributes.isEmpty {
                return "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured "
                    + "simultaneously"
            }
            return Self.trim(&ignoredAttributes, "ignored").map { "invalid 'ignore_resource_attributes': \($0)" }
        }
        if !ignoredAttributes.isEmpty {
            return "'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true"
        }
        return Self.trim(&promotedAttributes, "promoted").map { "invalid 'promote_resource_attributes': \($0)" }
    }

    private static func trim(_ attributes: inout [String], _ adjective: String) -> String? {
        var seen: Set<String> = []
        var faults: [String] = []
        for index in attributes.indices {
            let text = attributes[index].drop { $0.isWhitespace }
            let trimmed = String(text.reversed().drop { $0.isWhitespace }.reversed())
            if trimmed.isEmpty {
                faults.append("empty \(adjective) OTel resource attribute")
            } else if !seen.insert(trimmed).inserted {
                faults.append(
                    "duplicated \(adjective) OTel resource attribute \(Quoting.quote(ByteString(trimmed)))")
            } else {
                attributes[index] = trimmed
            }
        }
        return faults.isEmpty ? nil : faults.joined(separator: "\n")
    }

    var fields: YAMLFields {
        var fields = YAMLFields()
        if promotesAllAttributes { fields.set("promote_all_resource_attributes", .literal("true")) }
        fields.texts("promote_resource_attributes", promotedAttributes)
        fields.texts("ignore_resource_attributes", ignoredAttributes)
        fields.set("translation_strategy", .text(strategy.rawValue))
        if keepsIdentifyingAttributes { fields.set("keep_identifying_resource_attributes", .literal("true")) }
        if convertsHistograms { fields.set("convert_histograms_to_nhcb", .literal("true")) }
        if promotesScopes { fields.set("promote_scope_metadata", .literal("true")) }
        if sanitizesUnderscores { fields.set("label_name_underscore_sanitization", .literal("true")) }
        if preservesUnderscores { fields.set("label_name_preserve_multiple_underscores", .literal("true")) }
        return fields
    }
}
