/// Base64 as Go's encoding/base64 reads it (RFC 4648). Unused low bits are ignored, as there.
package enum Base64 {
    /// Standard alphabet with padding.
    package static func decodeStandard(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var padding = 0
        for byte in Array(text.suffix(2)) where byte == UInt8(ascii: "=") { padding += 1 }
        var bytes = Array(text.dropLast(padding))
        for index in bytes.indices {
            switch bytes[index] {
            case UInt8(ascii: "+"): bytes[index] = UInt8(ascii: "-")
            case UInt8(ascii: "/"): bytes[index] = UInt8(ascii: "_")
            case UInt8(ascii: "-"), UInt8(ascii: "_"): return nil
            default: break
            }
        }
        return try? decodeURL(bytes[...])
    }

    /// A byte that does not belong, at an offset.
    package struct Corrupt: Error, CustomStringConvertible, Equatable {
        /// From the start of the text.
        package let offset: Int

        package var description: String { "illegal base64 data at input byte \(offset)" }
    }

    /// URL-safe alphabet without padding; line ends are skipped, as in Go.
    /// - Throws: ``Corrupt``.
    /// - Complexity: O(n); one allocation.
    package static func decodeURL(_ text: ArraySlice<UInt8>) throws(Corrupt) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count * 3 / 4 + 3)
        var bits: UInt32 = 0
        var count = 0
        for (offset, byte) in text.enumerated() {
            if byte == 0x0A || byte == 0x0D { continue }
            guard let value = value(of: byte) else { throw Corrupt(offset: offset) }
            bits = bits << 6 | UInt32(value)
            count += 1
            if count == 4 {
                result.append(UInt8(truncatingIfNeeded: bits >> 16))
                result.append(UInt8(truncatingIfNeeded: bits >> 8))
                result.append(UInt8(truncatingIfNeeded: bits))
                bits = 0
                count = 0
            }
        }
        switch count {
        case 1: throw Corrupt(offset: max(0, text.count - 1))
        case 2: result.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 3:
            result.append(UInt8(truncatingIfNeeded: bits >> 10))
            result.append(UInt8(truncatingIfNeeded: bits >> 2))
        default: break
        }
        return result
    }

    /// URL-safe alphabet without padding.
    package static func encodeURL(_ bytes: [UInt8]) -> String { encode(bytes, "-_") }

    /// Standard alphabet with padding.
    package static func encodeStandard(_ bytes: [UInt8]) -> String {
        encode(bytes, "+/") + String(repeating: "=", count: (3 - bytes.count % 3) % 3)
    }

    /// - Parameter last: The two digits after those of letters and numbers.
    private static func encode(_ bytes: [UInt8], _ last: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\(last)".utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count / 3 * 4 + 4)
        var index = 0
        while index < bytes.count {
            let rest = min(3, bytes.count - index)
            var bits: UInt32 = 0
            for offset in 0..<3 { bits = bits << 8 | (offset < rest ? UInt32(bytes[index + offset]) : 0) }
            for place in 0...rest { result.append(alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)]) }
            index += 3
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func value(of byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5A: byte - 0x41
        case 0x61...0x7A: byte - 0x61 + 26
        case 0x30...0x39: byte - 0x30 + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
