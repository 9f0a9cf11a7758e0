internal import ByteCoding

/// Text as bytes: compared, ordered and hashed byte by byte.
///
/// Swift's `String` treats canonically equivalent texts as equal, which would merge two distinct label values;
/// metric names, label names, label values and help texts are therefore bytes. They need not be valid UTF-8.
@frozen
public struct ByteString: Sendable, Hashable {
    /// The bytes themselves.
    public var bytes: [UInt8]

    /// Takes `bytes` as they are.
    @inlinable
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Copies a slice or any other sequence of bytes.
    @inlinable
    public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// The UTF-8 bytes of `text`.
    @inlinable
    public init(_ text: String) { self.bytes = Array(text.utf8) }

    /// Number of bytes.
    @inlinable
    public var count: Int { bytes.count }

    /// Whether there are no bytes.
    @inlinable
    public var isEmpty: Bool { bytes.isEmpty }

    /// The text; bytes that are not UTF-8 become U+FFFD.
    @inlinable
    public var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Whether the bytes are valid UTF-8.
    public var isValidUTF8: Bool { String(validating: bytes, as: UTF8.self) != nil }

    /// Byte-wise equality.
    @inlinable
    public static func == (left: ByteString, right: ByteString) -> Bool { left.bytes == right.bytes }

    /// Hashes all bytes in one call.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    /// Whether the bytes start with `prefix`.
    public func hasPrefix(_ prefix: ByteString) -> Bool { bytes.starts(with: prefix.bytes) }

    /// Whether the bytes end with `suffix`.
    public func hasSuffix(_ suffix: ByteString) -> Bool {
        count >= suffix.count && bytes[(count - suffix.count)...].elementsEqual(suffix.bytes)
    }
}

extension ByteString: Comparable {
    /// Byte-wise order, as Go orders strings.
    public static func < (left: ByteString, right: ByteString) -> Bool {
        left.bytes.withUnsafeBytes { ByteOrder.compare($0, right.bytes) < 0 }
    }
}

extension ByteString: ExpressibleByStringLiteral {
    /// The UTF-8 bytes of a literal.
    public init(stringLiteral value: StaticString) {
        self.bytes = value.withUTF8Buffer { Array($0) }
    }
}

extension ByteString: CustomStringConvertible {
    /// The text; bytes that are not UTF-8 become U+FFFD.
    public var description: String { string }
}
