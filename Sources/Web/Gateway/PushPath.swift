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
            return name + "@base64/" + base64(value.bytes)
        }
        return name + "/" + PercentCoding.encodePath(value.bytes)
    }

    /// URL-safe, without padding (RFC 4648, section 5).
    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let word = group.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << (16 - 8 * UInt32($1.offset)) }
            for place in 0...group.count { result.append(alphabet[Int(word >> (18 - 6 * UInt32(place)) & 63)]) }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
