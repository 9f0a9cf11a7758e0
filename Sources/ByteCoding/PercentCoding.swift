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
    package static func encodePath(_ path: some Sequence<UInt8>) -> String { encode(path, keeping: isPathByte) }

    private static func encode(_ text: some Sequence<UInt8>, keeping isKept: (UInt8) -> Bool) -> String {
        var result: [UInt8] = []
        for byte in text {
            if isKept(byte) {
                result.append(byte)
            } else {
                result.append(UInt8(ascii: "%"))
                result.append(hexadecimal(byte >> 4))
                result.append(hexadecimal(byte & 15))
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Encodes a name or value of a query as Go's `url.QueryEscape`: a space becomes `+`.
    package static func encodeQuery(_ text: some Sequence<UInt8>) -> String {
        encode(text, keeping: { isUnreserved($0) || $0 == UInt8(ascii: " ") }).replacing(" ", with: "+")
    }

    /// Encodes all but the unreserved letters, digits and `-._~`: fit for any part of a URL.
    package static func encode(_ text: some Sequence<UInt8>) -> String { encode(text, keeping: isUnreserved) }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        if byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 { return true }
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"): return true
        default: return false
        }
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        if isUnreserved(byte) { return true }
        switch byte {
        case UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "/"),
            UInt8(ascii: ":"), UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "@"):
            return true
        default: return false
        }
    }

    private static func hexadecimal(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? 0x30 + nibble : 0x41 + nibble - 10
    }
}
