#if canImport(Glibc)
internal import Glibc
#endif

/// The order of texts by their bytes, in which Go sorts strings.
package enum ByteOrder {
    /// Negative if `left` comes first, zero if both are the same, positive if `right` comes first.
    /// - Complexity: O(the shorter).
    package static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        if let first = left.baseAddress, let second = right.baseAddress {
            // SAFETY: both buffers have as many bytes as the shorter.
            let order = memcmp(first, second, min(left.count, right.count))
            if order != 0 { return Int(order) }
        }
        return left.count &- right.count
    }

    /// The same for bytes of one's own on the right.
    package static func compare(_ left: UnsafeRawBufferPointer, _ right: [UInt8]) -> Int {
        right.withUnsafeBytes { compare(left, $0) }
    }
}
