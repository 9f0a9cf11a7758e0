/// Variable-length whole numbers, seven bits a byte, the lowest first: protobuf's and Go's encoding/binary.
@usableFromInline
package enum Varint {
    /// The most bytes a number takes.
    package static let maximumLength = 10

    /// Appends `value`.
    @inlinable
    package static func append(_ value: UInt64, to output: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(truncatingIfNeeded: rest))
    }

    /// The number of bytes that `value` takes.
    @inlinable
    package static func length(_ value: UInt64) -> Int {
        (70 &- (value | 1).leadingZeroBitCount) / 7
    }

    /// 0, -1, 1, -2, … as 0, 1, 2, 3, …: small magnitudes of either sign stay short.
    @inlinable
    package static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

    /// The inverse of ``zigzag(_:)``.
    @inlinable
    package static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ (0 &- Int64(bitPattern: value & 1))
    }

    /// Reads the number that starts at `index` and moves `index` behind it.
    /// - Returns: nil if the bytes end first or the number exceeds 64 bits; `index` then stays.
    @inlinable
    package static func read(_ bytes: UnsafeRawBufferPointer, at index: inout Int) -> UInt64? {
        var position = index
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count {
            let byte = bytes[position]
            position &+= 1
            if shift == 63, byte > 1 { return nil }
            value |= UInt64(byte & 0x7F) &<< shift
            if byte < 0x80 {
                index = position
                return value
            }
            shift &+= 7
            if shift > 63 { return nil }
        }
        return nil
    }

    /// Reads the number that starts at `index` of `bytes` and moves `index` behind it.
    /// - Returns: nil if the bytes end first or the number exceeds 64 bits; `index` then stays.
    @inlinable
    package static func read(_ bytes: [UInt8], at index: inout Int) -> UInt64? {
        guard index >= 0 else { return nil }
        // SAFETY: the buffer is only read within the call.
        return bytes.withUnsafeBytes { read($0, at: &index) }
    }
}
