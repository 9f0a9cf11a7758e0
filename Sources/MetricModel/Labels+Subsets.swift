extension Labels {
    /// Only the labels in `names`, which must be sorted and each given once.
    /// - Complexity: O(bytes + names); one allocation.
    public func including(_ names: [ByteString]) -> Labels { subset(names, keeping: true) }

    /// All labels but those in `names`, which must be sorted and each given once.
    /// - Complexity: O(bytes + names); one allocation, none if nothing is left out.
    public func excluding(_ names: [ByteString]) -> Labels { subset(names, keeping: false) }

    private func subset(_ names: [ByteString], keeping: Bool) -> Labels {
        var result: [UInt8] = []
        var changed = false
        packed.withUnsafeBufferPointer { bytes in
            // SAFETY: the ranges are those of this buffer's own texts.
            let base = UnsafeBufferPointer(rebasing: bytes[...])
            var next = 0
            forEachRange { name, value in
                var order = -1
                while next < names.count {
                    order = Self.order(names[next].bytes, base, name)
                    if order < 0 { next += 1 } else { break }
                }
                let found = next < names.count && order == 0
                if found == keeping {
                    if result.isEmpty { result.reserveCapacity(bytes.count) }
                    // The length before a name takes one byte, or four where the first is 255.
                    let start = name.lowerBound - (name.count < 255 ? 1 : 4)
                    result.append(contentsOf: bytes[start..<value.upperBound])
                } else {
                    changed = true
                }
            }
        }
        return changed ? Labels(packed: result) : self
    }

    /// The order of a name and one in a buffer: below 0 if `left` comes first.
    private static func order(_ left: [UInt8], _ right: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
        let shorter = min(left.count, range.count)
        var index = 0
        while index < shorter {
            let (a, b) = (left[index], right[range.lowerBound + index])
            if a != b { return a < b ? -1 : 1 }
            index += 1
        }
        return left.count - range.count
    }
}
