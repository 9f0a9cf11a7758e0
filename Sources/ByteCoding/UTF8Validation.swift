/// Whether bytes are valid UTF-8.
package enum UTF8Validation {
    /// Whether `bytes` are valid UTF-8 as Unicode and Go define it: no surrogates, no overlong forms.
    /// - Complexity: O(n); no allocation.
    package static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        let end = bytes.count
        while index < end {
            let first = bytes[index]
            if first < 0x80 {
                index &+= 1
                continue
            }
            let length: Int
            var low: UInt8 = 0x80
            var high: UInt8 = 0xBF
            switch first {
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, low) = (3, 0xA0)
            case 0xED: (length, high) = (3, 0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, low) = (4, 0x90)
            case 0xF4: (length, high) = (4, 0x8F)
            case 0xF1...0xF3: length = 4
            default: return false
            }
            guard index &+ length <= end else { return false }
            guard bytes[index &+ 1] >= low, bytes[index &+ 1] <= high else { return false }
            for offset in 2..<4 where offset < length && bytes[index &+ offset] & 0xC0 != 0x80 { return false }
            index &+= length
        }
        return true
    }

    /// Whether the bytes in `range` are valid UTF-8; false if it does not lie within.
    package static func isValid(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { return false }
        // SAFETY: the buffer is only read within the call.
        return bytes.withUnsafeBufferPointer { isValid(UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// Whether `bytes` are valid UTF-8.
    package static func isValid(_ bytes: [UInt8]) -> Bool {
        // SAFETY: the buffer is only read within the call.
        bytes.withUnsafeBufferPointer { isValid($0) }
    }
}
