/// Sorting of windows of any length that a query's end interrupts.
enum PatientSort {
    /// Numbers that are sorted, or merged, between two looks at the query.
    private static let piece = 1 << 16

    /// Sorts `values`, which must not hold NaN.
    /// - Throws: Why the query ends, within some milliseconds.
    /// - Complexity: O(n log n); twice the memory for more than some ten thousand numbers.
    static func sort(_ values: inout [Double], _ check: () throws -> Void) throws {
        if values.count <= piece { return values.sort() }
        for start in stride(from: 0, to: values.count, by: piece) {
            try check()
            values[start..<min(start + piece, values.count)].sort()
        }
        var other: [Double] = []
        var width = piece
        while width < values.count {
            other.removeAll(keepingCapacity: true)
            other.reserveCapacity(values.count)
            for start in stride(from: 0, to: values.count, by: 2 * width) {
                let middle = min(start + width, values.count)
                try merge(values, start, middle, min(middle + width, values.count), into: &other, check)
            }
            swap(&values, &other)
            width *= 2
        }
    }

    private static func merge(
        _ values: [Double], _ start: Int, _ middle: Int, _ end: Int, into result: inout [Double],
        _ check: () throws -> Void
    ) throws {
        var (left, right) = (start, middle)
        while left < middle || right < end {
            if result.count & (piece - 1) == 0 { try check() }
            let takesLeft = right == end || left < middle && !(values[right] < values[left])
            result.append(values[takesLeft ? left : right])
            if takesLeft { left += 1 } else { right += 1 }
        }
    }
}
