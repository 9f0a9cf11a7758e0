/// Where a job's metrics are kept in the gateway: its name and, where there are several of it, further labels.
public struct JobKey: Sendable, Hashable {
    /// The value of the label `job`; not empty.
    public let job: String
    /// Further grouping labels in order, such as `instance`.
    public let labels: [Label]

    /// A grouping label.
    public struct Label: Sendable, Hashable {
        /// `[a-zA-Z_][a-zA-Z0-9_]*`, or any text where the gateway has UTF-8 names enabled.
        public let name: String
        /// Any text, also an empty one.
        public let value: String

        /// The label `name` with `value`.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The key of `job` with `labels`.
    public init(job: String, labels: [Label] = []) {
        self.job = job
        self.labels = labels
    }

    /// The path of a push: `/metrics/job/backup/instance/a`.
    ///
    /// Values that a path cannot carry (empty, or with a slash) are sent as URL-safe base64 under `NAME@base64`, as
    /// Pushgateway's README describes.
    public var path: String {
        ([Label("job", job)] + labels).reduce("/metrics") { path, label in
            path + "/" + Self.escaped(label.name) + Self.segment(label.value)
        }
    }

    private static func segment(_ value: String) -> String {
        if value.isEmpty { return "@base64/=" }
        if value.utf8.contains(UInt8(ascii: "/")) || value == "." || value == ".." {
            return "@base64/" + base64(Array(value.utf8))
        }
        return "/" + escaped(value)
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return result
    }

    /// URL-safe, without padding.
    static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        var result = ""
        var index = 0
        while index < bytes.count {
            let left = min(3, bytes.count - index)
            var word = UInt32(bytes[index]) << 16
            if left > 1 { word |= UInt32(bytes[index + 1]) << 8 }
            if left > 2 { word |= UInt32(bytes[index + 2]) }
            for place in 0...left { result.append(alphabet[Int(word >> (18 - 6 * UInt32(place)) & 63)]) }
            index += 3
        }
        return result
    }
}
