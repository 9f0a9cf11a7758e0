internal import YAML

/// How much a job's targets may be, and send. 0 is no limit, throughout.
///
/// The global section's hold for jobs that do not say otherwise.
/// Source: prometheus/prometheus config/config.go (`GlobalConfig`, `ScrapeConfig`).
package struct ScrapeLimits: Sendable, Hashable {
    /// `body_size_limit`: of an answer, decompressed.
    package var bodySize = ByteSize(bytes: 0)
    /// `sample_limit`: samples of a scrape, after relabelling.
    package var samples: UInt64 = 0
    /// `target_limit`: targets of a job, after relabelling.
    package var targets: UInt64 = 0
    /// `label_limit`: labels of a sample.
    package var labels: UInt64 = 0
    /// `label_name_length_limit`, in bytes.
    package var labelNameLength: UInt64 = 0
    /// `label_value_length_limit`, in bytes.
    package var labelValueLength: UInt64 = 0

    /// No limits.
    package init() {}

    /// Reads the field `key`, if it is one of these.
    /// - Returns: whether it is.
    mutating func read(_ key: String, _ value: YAMLNode, _ decoder: YAMLDecoder) throws(YAMLError) -> Bool {
        switch key {
        case "body_size_limit": bodySize = try decoder.byteSize(value)
        case "sample_limit": samples = decoder.unsigned(value)
        case "target_limit": targets = decoder.unsigned(value)
        case "label_limit": labels = decoder.unsigned(value)
        case "label_name_length_limit": labelNameLength = decoder.unsigned(value)
        case "label_value_length_limit": labelValueLength = decoder.unsigned(value)
        default: return false
        }
        return true
    }

    /// These, with those of `global` where there is no limit.
    func filled(from global: ScrapeLimits) -> ScrapeLimits {
        var result = self
        if bodySize.bytes == 0 { result.bodySize = global.bodySize }
        if samples == 0 { result.samples = global.samples }
        if targets == 0 { result.targets = global.targets }
        if labels == 0 { result.labels = global.labels }
        if labelNameLength == 0 { result.labelNameLength = global.labelNameLength }
        if labelValueLength == 0 { result.labelValueLength = global.labelValueLength }
        return result
    }

    func append(to fields: inout YAMLFields) {
        fields.size("body_size_limit", bodySize)
        fields.number("sample_limit", samples)
        fields.number("target_limit", targets)
        fields.number("label_limit", labels)
        fields.number("label_name_length_limit", labelNameLength)
        fields.number("label_value_length_limit", labelValueLength)
    }
}
