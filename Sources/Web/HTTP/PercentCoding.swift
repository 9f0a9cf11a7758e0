/// Percent-encoding of URLs (RFC 3986, section 2.1).
package enum PercentCoding {
    /// The value of a hexadecimal digit.
    package static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// Decodes `%XX`; with `plusIsSpace`, as in a query, `+` too.
    /// - Returns: nil where a `%` is not followed by two digits.
    /// - Complexity: O(n); one allocation.
    package static func decode(_ text: some Collection<UInt8>, plusIsSpace: Bool = false) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = text.startIndex
        while index != text.endIndex {
            let byte = text[index]
            index = text.index(after: index)
            if byte == UInt8(ascii: "%") {
                guard index != text.endIndex, let high = digit(text[index]) else { return nil }
                index = text.index(after: index)
                guard index != text.endIndex, let low = digit(text[index]) else { return nil }
                index = text.index(after: index)
                result.append(high << 4 | low)
            } else if plusIsSpace, byte == UInt8(ascii: "+") {
                result.append(0x20)
            } else {
                result.append(byte)
            }
        }
        return result
    }

    /// Encodes a path: letters, digits and what Go's `url.URL.EscapedPath` leaves alone stay.
    package static func encodePath(_ path: some Sequence<UInt8>) -> String {
        var result: [UInt8] = []
        for byte in path {
            if isPathByte(byte) {
                result.append(byte)
            } else {
                result.append(UInt8(ascii: "%"))
                result.append(hexadecimal(byte >> 4))
                result.append(hexadecimal(byte & 15))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        if byte &- 0x30 < 10 || HTTPSyntax.lowercase(byte) &- 0x61 < 26 { return true }
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "$"),
            UInt8(ascii: "&"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "/"), UInt8(ascii: ":"),
            UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "@"):
            return true
        default: return false
        }
    }

    private static func hexadecimal(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? 0x30 + nibble : 0x41 + nibble - 10
    }
}

/// The parameters of a query or a form body, in their order.
package struct QueryParameters: Sendable {
    /// Decoded names and values, in the order given.
    package private(set) var pairs: [(name: String, value: String)] = []

    /// Reads `a=1&b=2`; pairs that are not well encoded are left out, as Go's `url.ParseQuery` does, and so are
    /// those with a semicolon.
    package init(_ text: some Collection<UInt8>) {
        for part in text.split(separator: UInt8(ascii: "&")) where !part.contains(UInt8(ascii: ";")) {
            let mark = part.firstIndex(of: UInt8(ascii: "="))
            let name = part[..<(mark ?? part.endIndex)]
            let value = mark.map { part[part.index(after: $0)...] } ?? part[part.endIndex...]
            guard let name = PercentCoding.decode(name, plusIsSpace: true),
                let value = PercentCoding.decode(value, plusIsSpace: true)
            else { continue }
            pairs.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
        }
    }

    /// The first value of `name`, or nil.
    package subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

    /// All values of `name`.
    package func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// Adds the pairs of another, behind these.
    package mutating func append(_ other: QueryParameters) { pairs += other.pairs }
}
