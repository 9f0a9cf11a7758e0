internal import ByteCoding

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
            path + "/" + PercentCoding.encode(label.name.utf8) + Self.segment(label.value)
        }
    }

    private static func segment(_ value: String) -> String {
        if value.isEmpty { return "@base64/=" }
        if value.utf8.contains(UInt8(ascii: "/")) || value == "." || value == ".." {
            return "@base64/" + Base64.encodeURL(Array(value.utf8))
        }
        return "/" + PercentCoding.encode(value.utf8)
    }
}
