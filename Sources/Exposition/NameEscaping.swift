internal import ByteCoding
package import MetricModel

/// How names beyond the legacy characters are written for readers that know only those.
///
/// Source: prometheus/common model/metric.go (`EscapeName`, `UnescapeName`, `EscapeMetricFamily`).
package enum NameEscaping: String, Sendable, Hashable, CaseIterable {
    /// As they are, in quotes where the format needs it.
    case allowUTF8 = "allow-utf-8"
    /// Every other character becomes `_`.
    case underscores
    /// `.` becomes `_dot_`, `_` becomes `__`, every other character `__`.
    case dots
    /// `U__`, then `_hex_` for every other character.
    case values

    /// What is used when nobody asked: upstream's default.
    package static let standard = NameEscaping.underscores

    /// The name as it is exposed: legacy names stay what they are.
    /// - Complexity: O(bytes); no allocation for legacy names.
    package func exposed(_ name: ByteString) -> ByteString {
        if self == .allowUTF8 || name.isEmpty || isLegacyMetricName(name) { return name }
        return escape(name)
    }

    /// The name escaped; ``dots`` doubles underscores of legacy names as well.
    package func escape(_ name: ByteString) -> ByteString {
        guard !name.isEmpty, self != .allowUTF8 else { return name }
        if self != .dots, LegacyNames.isMetricName(name) { return name }
        var output = self == .values ? Array("U__".utf8) : []
        output.reserveCapacity(name.count &+ 8)
        var isFirst = true
        GoRunes.forEach(name.bytes) { rune in
            append(rune, isFirst: isFirst, to: &output)
            isFirst = false
        }
        return ByteString(output)
    }

    private func append(_ rune: UInt32, isFirst: Bool, to output: inout [UInt8]) {
        let isLegacy = Self.isLegacy(rune, isFirst: isFirst)
        switch self {
        case .allowUTF8: break
        case .underscores: output.append(isLegacy ? UInt8(truncatingIfNeeded: rune) : UInt8(ascii: "_"))
        case .dots:
            if rune == 0x5F {
                output.append(contentsOf: "__".utf8)
            } else if rune == 0x2E {
                output.append(contentsOf: "_dot_".utf8)
            } else if isLegacy {
                output.append(UInt8(truncatingIfNeeded: rune))
            } else {
                output.append(contentsOf: "__".utf8)
            }
        case .values:
            if rune == 0x5F {
                output.append(contentsOf: "__".utf8)
            } else if isLegacy {
                output.append(UInt8(truncatingIfNeeded: rune))
            } else {
                output.append(contentsOf: "_\(String(rune, radix: 16))_".utf8)
            }
        }
    }

    /// Undoes ``escape(_:)`` as far as the scheme can be undone; a name that it cannot have made is returned as it is.
    package func unescape(_ name: ByteString) -> ByteString {
        switch self {
        case .allowUTF8, .underscores: return name
        case .dots:
            let dotted = Self.replacing(Array("_dot_".utf8), with: UInt8(ascii: "."), in: name.bytes)
            return ByteString(Self.replacing(Array("__".utf8), with: UInt8(ascii: "_"), in: dotted))
        case .values: return Self.unescapeValues(name) ?? name
        }
    }

    private static func replacing(_ pattern: [UInt8], with byte: UInt8, in bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: pattern) {
                output.append(byte)
                index += pattern.count
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return output
    }

    private static func unescapeValues(_ name: ByteString) -> ByteString? {
        let bytes = name.bytes
        guard bytes.starts(with: "U__".utf8) else { return nil }
        var output: [UInt8] = []
        var index = 3
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "_") else {
                output.append(bytes[index])
                index += 1
                continue
            }
            index += 1
            guard index < bytes.count else { return nil }
            if bytes[index] == UInt8(ascii: "_") {
                output.append(UInt8(ascii: "_"))
                index += 1
                continue
            }
            guard let end = bytes[index...].prefix(7).firstIndex(of: UInt8(ascii: "_")), end - index <= 5 else {
                return nil
            }
            var value: UInt32 = 0
            for byte in bytes[index..<end] {
                guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
                value = value &* 16 &+ UInt32(digit)
            }
            guard let scalar = Unicode.Scalar(value) else { return nil }
            output.append(contentsOf: String(Character(scalar)).utf8)
            index = end + 1
        }
        return ByteString(output)
    }

    private static func isLegacy(_ rune: UInt32, isFirst: Bool) -> Bool {
        guard rune < 0x80 else { return false }
        let byte = UInt8(rune)
        if byte &- UInt8(ascii: "0") < 10 { return !isFirst }
        return TextCursor.isNameByte(byte, true)
    }
}

/// `[a-zA-Z_:][a-zA-Z0-9_:]*`, in one loop over the bytes.
@inline(__always)
func isLegacyMetricName(_ name: ByteString) -> Bool {
    // SAFETY: the buffer is only read within the call, at indices below its count.
    name.bytes.withUnsafeBufferPointer { bytes in
        guard let first = bytes.first, first &- UInt8(ascii: "0") > 9 else { return false }
        for index in 0..<bytes.count where !TextCursor.isNameByte(bytes[index], true) { return false }
        return true
    }
}

/// Text taken apart as Go's `range` over a string does: a byte that is not UTF-8 gives U+FFFD.
enum GoRunes {
    static func forEach(_ bytes: [UInt8], _ body: (UInt32) -> Void) {
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars { body(scalar.value) }
    }
}
