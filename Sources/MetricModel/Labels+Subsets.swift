extension Labels {
    /// Only the labels in `names`, which must be sorted and each given once.
    /// - Complexity: O(bytes + names); one allocation.
    public func including(_ names: [ByteString]) -> Labels { subset(names, keeping: true) }

    /// All labels but those in `names`, which must be sorted and each given once.
    /// - Complexity: O(bytes + names); one allocation, none if nothing is left out.
    public func excluding(_ names: [ByteString]) -> Labels { subset(names, keeping: false) }

    private func subset(_ names: [ByteString], keeping: Bool) -> Labels {
        var result: [UInt8] = []
        result.reserveCapacity(keeping ? packed.count / 2 : packed.count)
        let isWhole = appendSubset(names, keeping: keeping, to: &result)
        return isWhole ? self : Labels(packed: result)
    }

    /// Appends the packed bytes of the labels that are, or are not, in `names`.
    /// - Returns: Whether those are all labels.
    func appendSubset(_ names: [ByteString], keeping: Bool, to result: inout [UInt8]) -> Bool {
        var isWhole = true
        packed.withUnsafeBytes { bytes in
            var next = 0
            var index = 0
            while index < bytes.count {
                // The buffer is one that this type made, so that all ranges lie in it.
                let name = Labels.text(in: bytes, at: index)
                let end = Labels.text(in: bytes, at: name.upperBound).upperBound
                var order = -1
                while next < names.count {
                    order = Self.order(names[next].bytes, bytes, name)
                    if order < 0 { next += 1 } else { break }
                }
                if (next < names.count && order == 0) == keeping {
                    result.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[index..<end]))
                } else {
                    isWhole = false
                }
                index = end
            }
        }
        return isWhole
    }

    /// The range of the text whose length starts at `index`.
    private static func text(in bytes: UnsafeRawBufferPointer, at index: Int) -> Range<Int> {
        let short = bytes[index]
        if short < 255 { return (index + 1)..<(index + 1 + Int(short)) }
        let length = Int(bytes[index + 1]) | Int(bytes[index + 2]) << 8 | Int(bytes[index + 3]) << 16
        return (index + 4)..<(index + 4 + length)
    }

    /// The order of a name and one in a buffer: below 0 if `left` comes first.
    private static func order(_ left: [UInt8], _ right: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
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
