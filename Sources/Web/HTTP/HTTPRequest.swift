package import NIOCore

/// The request line and header fields, kept as the bytes that came in.
///
/// One buffer and one array of offsets a request; text is decoded only where a handler asks for it.
package struct HTTPRequestHead: Sendable {
    /// Where a field's name and value lie in ``bytes``; the value is without surrounding blanks.
    struct Field: Sendable {
        var name: Range<Int32>
        var value: Range<Int32>
    }

    /// Every byte of the head.
    package let bytes: [UInt8]
    /// The request method.
    package let method: HTTPMethod
    /// Where the request target lies in ``bytes``, percent-encoding and query included, in origin form.
    package let target: Range<Int>
    /// 0 for HTTP/1.0, 1 for HTTP/1.1, 2 for HTTP/2.
    package let version: Int
    let fields: [Field]
    /// Who sent it, where the transport knows.
    package var remoteAddress: SocketAddress?
    /// Whether it came over TLS.
    package var isSecure = false

    /// The first value of the field `name`, which is given in lower case.
    /// - Complexity: O(fields); no allocation.
    package func range(of name: StaticString) -> Range<Int>? {
        for field in fields where matches(field, name) {
            return Int(field.value.lowerBound)..<Int(field.value.upperBound)
        }
        return nil
    }

    /// The first value of the field `name`, which is given in lower case; bytes that are not UTF-8 become U+FFFD.
    package subscript(name: StaticString) -> String? {
        range(of: name).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    /// All values of the field `name`, which is given in lower case, in their order.
    package func values(of name: StaticString) -> [String] {
        fields.compactMap { field in
            guard matches(field, name) else { return nil }
            return String(
                decoding: bytes[Int(field.value.lowerBound)..<Int(field.value.upperBound)], as: UTF8.self)
        }
    }

    /// The path before any `?`, still percent-encoded.
    package var rawPath: ArraySlice<UInt8> {
        let whole = bytes[target]
        guard let mark = whole.firstIndex(of: UInt8(ascii: "?")) else { return whole }
        return whole[..<mark]
    }

    /// What follows the first `?`, still percent-encoded; nil without one.
    package var rawQuery: ArraySlice<UInt8>? {
        let whole = bytes[target]
        guard let mark = whole.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        return whole[(mark + 1)...]
    }

    /// The sender as Go prints it, `127.0.0.1:4711`, for logs.
    package var source: String { remoteAddress.map(Self.describe) ?? "unknown" }

    private static func describe(_ address: SocketAddress) -> String {
        guard let ip = address.ipAddress, let port = address.port else { return "@" }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }

    private func matches(_ field: Field, _ name: StaticString) -> Bool {
        guard field.name.count == name.utf8CodeUnitCount else { return false }
        var index = Int(field.name.lowerBound)
        return name.withUTF8Buffer { wanted in
            for byte in wanted {
                if HTTPSyntax.lowercase(bytes[index]) != byte { return false }
                index += 1
            }
            return true
        }
    }
}

/// A whole request, its body collected.
package struct HTTPRequest: Sendable {
    /// Request line and fields.
    package let head: HTTPRequestHead
    /// The body without its transfer coding; content codings are untouched.
    package var body: ByteBuffer
    /// Which groups its sender may touch, where somebody has checked that.
    package var scope = AccessScope.everything

    /// A request.
    package init(head: HTTPRequestHead, body: ByteBuffer) {
        self.head = head
        self.body = body
    }
}

/// Which bytes HTTP allows where (RFC 9110, section 5.6.2).
enum HTTPSyntax {
    /// ASCII letters in lower case, everything else unchanged.
    @inline(__always)
    static func lowercase(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Whether `byte` may stand in a token, such as a method or a field name.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        byte < 64 ? tokenLow & (1 << UInt64(byte)) != 0 : byte < 128 && tokenHigh & (1 << UInt64(byte - 64)) != 0
    }

    /// Whether `byte` may stand in a field value: anything but controls; a tab is fine.
    @inline(__always)
    static func isFieldValue(_ byte: UInt8) -> Bool { byte >= 0x20 && byte != 0x7F || byte == 0x09 }

    private static let tokenLow = mask("!#$%&'*+-.0123456789", 0)
    private static let tokenHigh = mask(
        "^_`|~ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 64)

    private static func mask(_ text: StaticString, _ base: UInt8) -> UInt64 {
        text.withUTF8Buffer { $0.reduce(into: UInt64(0)) { $0 |= 1 << UInt64($1 - base) } }
    }
}
