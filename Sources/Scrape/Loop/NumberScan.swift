internal import ByteCoding

/// Numbers where they stand in an exposition.
enum NumberScan {
    /// 10⁰ … 10²²: the powers of ten that a double holds exactly.
    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The number that starts at `index`, which moves behind it; nil if it is none. It ends at a blank or a line end.
    /// - Complexity: O(digits).
    @inline(__always)
    static func value(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Double? {
        let start = index
        var position = start
        var mantissa: UInt64 = 0
        var digits = 0
        var fraction = 0
        let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        if isNegative { position &+= 1 }
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            if digit > 9 { break }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            digits &+= 1
            position &+= 1
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: "."), digits > 0 {
            position &+= 1
            let first = position
            while position < bytes.count {
                let digit = bytes[position] &- UInt8(ascii: "0")
                if digit > 9 { break }
                mantissa = mantissa &* 10 &+ UInt64(digit)
                position &+= 1
            }
            fraction = position &- first
            digits &+= fraction
        }
        // Eighteen digits fit; up to 2⁵³ and 10²² the division is exact and rounds once, as the long way would.
        if digits > 0, digits < 19, position < bytes.count, isEnd(bytes[position]), mantissa <= 1 << 53 {
            index = position
            let value = fraction == 0 ? Double(mantissa) : Double(mantissa) / powers[fraction]
            return isNegative ? -value : value
        }
        return slowValue(bytes, &index)
    }

    private static func slowValue(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Double? {
        let start = index
        var end = start
        while end < bytes.count, !isEnd(bytes[end]) { end &+= 1 }
        index = end
        guard let value = FloatText.parse(UnsafeBufferPointer(rebasing: bytes[start..<end])) else { return nil }
        return value.isNaN ? Double(bitPattern: 0x7FF8_0000_0000_0001) : value
    }

    /// The whole number that starts at `index`, which moves behind it; nil if it is none.
    static func integer(_ bytes: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Int64? {
        let start = index
        while index < bytes.count, !isEnd(bytes[index]) { index &+= 1 }
        return IntegerText.parseInt64(UnsafeBufferPointer(rebasing: bytes[start..<index]))
    }

    @inline(__always)
    private static func isEnd(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 }
}
