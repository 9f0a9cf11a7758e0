/// Whole numbers as decimal text.
package enum IntegerText {
    /// Appends `value`.
    /// - Complexity: O(digits).
    package static func append(_ value: UInt64, to output: inout [UInt8]) {
        if value < 10 {
            output.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value))
            return
        }
        var buffer: (UInt64, UInt64, UInt64) = (0, 0, 0)
        // SAFETY: 24 bytes, of which at most 20 are written.
        withUnsafeMutableBytes(of: &buffer) { digits in
            let count = write(value, to: digits)
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: digits[..<count]))
        }
    }

    /// Appends `value` with its sign, if it is negative.
    package static func append(_ value: Int64, to output: inout [UInt8]) {
        if value < 0 { output.append(UInt8(ascii: "-")) }
        append(value.magnitude, to: &output)
    }

    /// "00" to "99", each as two bytes in the order of memory.
    private static let pairs: [UInt16] = (0..<100).map { number in
        let tens = UInt16(UInt8(ascii: "0")) + UInt16(number / 10)
        let ones = UInt16(UInt8(ascii: "0")) + UInt16(number % 10)
        return (tens | ones << 8).littleEndian
    }

    /// Writes the digits of `value` to the start of `buffer`, which holds at least 20 bytes.
    /// - Returns: How many.
    @inline(__always)
    static func write(_ value: UInt64, to buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = digitCount(value)
        var rest = value
        var position = count
        while rest >= 100 {
            position &-= 2
            let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 100)
            buffer.storeBytes(of: pairs[Int(truncatingIfNeeded: remainder)], toByteOffset: position, as: UInt16.self)
            rest = quotient
        }
        if rest >= 10 {
            buffer.storeBytes(of: pairs[Int(truncatingIfNeeded: rest)], toByteOffset: 0, as: UInt16.self)
        } else {
            buffer[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest)
        }
        return count
    }

    private static let powers: [UInt64] = (0..<20).map { exponent in
        (0..<exponent).reduce(1) { power, _ in power &* 10 }
    }

    @inline(__always)
    private static func digitCount(_ value: UInt64) -> Int {
        // log10 is about log2 × 1233 / 4096; one comparison corrects it.
        let guess = ((64 &- (value | 1).leadingZeroBitCount) &* 1233) >> 12
        return guess &+ (value >= powers[guess] || value == 0 && guess == 0 ? 1 : 0)
    }

    /// Reads a whole number as Go's `strconv.ParseInt(s, 10, 64)` does: a sign, then digits, nothing else.
    /// - Returns: nil for anything else and beyond 64 bits.
    package static func parseInt64(_ bytes: UnsafeBufferPointer<UInt8>) -> Int64? {
        var index = 0
        var isNegative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            index = 1
        }
        guard index < bytes.count else { return nil }
        var magnitude: UInt64 = 0
        while index < bytes.count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            magnitude = sum
            index &+= 1
        }
        if isNegative {
            return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
        }
        return Int64(exactly: magnitude)
    }

    /// Reads a whole number as Go's `strconv.ParseInt(s, 10, 64)` does.
    package static func parseInt64(_ bytes: some Sequence<UInt8>) -> Int64? {
        // SAFETY: the buffer is only read within the call.
        Array(bytes).withUnsafeBufferPointer { parseInt64($0) }
    }
}
