/// A format metrics are served in, with its escaping of names.
package struct ExpositionFormat: Sendable, Hashable {
    /// What the body looks like.
    package enum Kind: Sendable, Hashable, CaseIterable {
        /// The text format 0.0.4.
        case text
        case openMetrics001
        case openMetrics100
        /// Length-delimited `MetricFamily` messages.
        case protobufDelimited
        /// Protobuf's text form, many lines a message.
        case protobufText
        /// Protobuf's text form, one line a message.
        case protobufCompactText
    }

    /// Which format, and version.
    package var kind: Kind
    /// How names that not everybody reads are written.
    package var escaping: NameEscaping

    /// A format.
    package init(_ kind: Kind, escaping: NameEscaping = .standard) {
        self.kind = kind
        self.escaping = escaping
    }

    /// The `Content-Type`, as upstream writes it.
    ///
    /// Source: prometheus/common expfmt/expfmt.go.
    package var contentType: String {
        let media =
            switch kind {
            case .text: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics001: "application/openmetrics-text; version=0.0.1; charset=utf-8"
            case .openMetrics100: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            case .protobufDelimited: Self.protobuf + " encoding=delimited"
            case .protobufText: Self.protobuf + " encoding=text"
            case .protobufCompactText: Self.protobuf + " encoding=compact-text"
            }
        return media + "; escaping=" + escaping.rawValue
    }

    private static let protobuf = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily;"

    /// Whether a body ends with `# EOF`.
    package var isOpenMetrics: Bool { kind == .openMetrics001 || kind == .openMetrics100 }
}
