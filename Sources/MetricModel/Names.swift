/// Names of the legacy character set: what metric and label names were before UTF-8 names.
public enum LegacyNames {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    public static func isMetricName(_ name: ByteString) -> Bool {
        guard let first = name.bytes.first, isLetter(first) || first == UInt8(ascii: ":") else { return false }
        return name.bytes.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: ":") }
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`.
    public static func isLabelName(_ name: ByteString) -> Bool {
        guard let first = name.bytes.first, isLetter(first) else { return false }
        return name.bytes.allSatisfy { isLetter($0) || isDigit($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}

/// Which names are accepted.
public enum NameValidation: Sendable, Hashable {
    /// Only ``LegacyNames``.
    case legacy
    /// Any valid UTF-8 that is not empty.
    case utf8

    /// Whether `name` may be a metric name.
    public func isMetricName(_ name: ByteString) -> Bool {
        switch self {
        case .legacy: LegacyNames.isMetricName(name)
        case .utf8: !name.isEmpty && name.isValidUTF8
        }
    }

    /// Whether `name` may be a label name.
    public func isLabelName(_ name: ByteString) -> Bool {
        switch self {
        case .legacy: LegacyNames.isLabelName(name)
        case .utf8: !name.isEmpty && name.isValidUTF8
        }
    }
}
