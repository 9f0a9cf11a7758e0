package import MetricModel

/// The name of a block: 48 bits of time in milliseconds and 80 random bits, as 26 characters of Crockford's base 32.
package struct ULID: Sendable, Hashable, Comparable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    /// A new one.
    /// - Parameters:
    ///   - time: Milliseconds since 1970; only the lower 48 bits are kept.
    ///   - generator: Source of the random part.
    package init(time: Timestamp, using generator: inout some RandomNumberGenerator) {
        let random: UInt64 = generator.next()
        high = UInt64(bitPattern: time) << 16 | random >> 48
        low = generator.next()
    }

    /// The ULID written as `text`, in upper or lower case; nil if it is none.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 26 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            let upper = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") ? byte - 32 : byte
            guard let digit = Self.alphabet.firstIndex(of: upper) else { return nil }
            // 26 characters have 130 bits: the first may not use its upper two.
            if index == 0 && digit > 7 { return nil }
            high = high << 5 | low >> 59
            low = low << 5 | UInt64(digit)
        }
        self.high = high
        self.low = low
    }

    /// Milliseconds since 1970.
    package var time: Timestamp { Timestamp(high >> 16) }

    /// 26 characters.
    package var description: String {
        var text = [UInt8](repeating: 0, count: 26)
        var high = high
        var low = low
        for index in stride(from: 25, through: 0, by: -1) {
            text[index] = Self.alphabet[Int(low & 31)]
            low = low >> 5 | high << 59
            high >>= 5
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Order of time, then of the random part.
    package static func < (left: ULID, right: ULID) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }
}
