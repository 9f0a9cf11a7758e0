extension PackedSeries {
    /// This series with the numbers of `stored` added, where that takes no decoding: counters without exemplars, and
    /// classic histograms of the same buckets without exemplars. nil for all others.
    ///
    /// Both have the same labels.
    func adding(_ stored: PackedSeries) -> PackedSeries? {
        guard bytes.count == stored.bytes.count, bytes.count > PackedSeries.keyOffset, bytes[1] == stored.bytes[1],
            type == stored.type
        else { return nil }
        switch PackedValue.Kind(rawValue: bytes[1]) {
        case .counter: return addingValues(stored) { $0.double() && $0.isAtEnd }
        case .histogram where type == .histogram: return addingValues(stored) { $0.histogram() }
        default: return nil
        }
    }

    private func addingValues(_ stored: PackedSeries, _ add: (inout Addition) -> Bool) -> PackedSeries? {
        let start = valueOffset
        var sum = bytes
        let isDone = sum.withUnsafeMutableBytes { sum in
            stored.bytes.withUnsafeBytes { stored in
                var addition = Addition(sum: sum, stored: stored, position: start)
                return add(&addition)
            }
        }
        return isDone ? PackedSeries(packed: sum) : nil
    }
}

/// Walks over two values of the same layout at once, and adds the one to the other.
private struct Addition {
    let sum: UnsafeMutableRawBufferPointer
    let stored: UnsafeRawBufferPointer
    var position: Int

    var isAtEnd: Bool { position == sum.count }

    /// A byte that both have alike.
    mutating func byte() -> UInt8? {
        guard position < sum.count, position < stored.count, sum[position] == stored[position] else { return nil }
        defer { position += 1 }
        return sum[position]
    }

    /// A byte that both have as `wanted`.
    mutating func byte(_ wanted: UInt8) -> Bool { byte() == wanted }

    /// Adds a number.
    mutating func double() -> Bool {
        guard let (new, old) = doubles() else { return false }
        // SAFETY: `doubles` has checked that eight bytes lie before the position.
        sum.storeBytes(of: (new + old).bitPattern.littleEndian, toByteOffset: position - 8, as: UInt64.self)
        return true
    }

    /// A number of each.
    mutating func doubles() -> (new: Double, old: Double)? {
        guard sum.count - position >= 8, stored.count - position >= 8 else { return nil }
        defer { position += 8 }
        // SAFETY: eight bytes from the position lie within both buffers, as was just checked.
        let new = sum.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        let old = stored.loadUnaligned(fromByteOffset: position, as: UInt64.self)
        return (Double(bitPattern: UInt64(littleEndian: new)), Double(bitPattern: UInt64(littleEndian: old)))
    }

    /// Adds a number that is there in both, or in neither.
    mutating func optionalDouble() -> Bool {
        switch byte() {
        case 0: true
        case 1: double()
        default: false
        }
    }

    /// See ``PackedValue`` for the layout.
    mutating func histogram() -> Bool {
        guard byte() != nil, optionalDouble(), optionalDouble(), byte(0), let count = bucketCount(), count > 0 else {
            return false
        }
        var last = 0.0
        for _ in 0..<count {
            guard let (new, old) = doubles(), new == old, double(), byte(0) else { return false }
            last = new
        }
        return last == .infinity && byte(0) && byte(0) && isAtEnd
    }

    /// A number below 128 that both have alike; more buckets are added the long way.
    private mutating func bucketCount() -> Int? {
        guard let count = byte(), count < 0x80 else { return nil }
        return Int(count)
    }
}
