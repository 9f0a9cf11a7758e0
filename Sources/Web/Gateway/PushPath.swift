internal import ByteCoding
internal import Exposition
package import Gateway
internal import MetricModel

/// The path that pushes to a group: the other way around than ``PushTarget``.
package enum PushPath {
    /// `job/a/instance/b`, percent-encoded, without the `metrics/` in front. Values that a path cannot carry are sent as
    /// base64, names beyond the legacy characters escaped with `U__`.
    package static func text(_ key: GroupingKey) -> String {
        let job = key["job"] ?? ""
        var path = part("job", job)
        for label in key.labels where label.name != "job" {
            let name = LegacyNames.isLabelName(label.name) ? label.name : NameEscaping.values.escape(label.name)
            path += "/" + part(name, label.value)
        }
        return path
    }

    private static func part(_ name: ByteString, _ value: ByteString) -> String {
        let name = PercentCoding.encodePath(name.bytes)
        if value.isEmpty { return name + "@base64/=" }
        if value.bytes.contains(UInt8(ascii: "/")) || value == "." || value == ".." {
            return name + "@base64/" + Base64.encodeURL(value.bytes)
        }
        return name + "/" + PercentCoding.encodePath(value.bytes)
    }
}
