internal import ByteCoding
#if canImport(Glibc)
internal import Glibc
#endif

/// A body of the text format without its numbers: what a client that pushes the same series again and again sends
/// alike each time.
///
/// Reading the format looks at numbers for their value only, so bodies that fit one template say the same but for the
/// numbers: those that fit are read by comparing bytes.
package struct TextTemplate: Sendable {
    /// Where a body has the number of a line.
    package struct Place: Sendable, Hashable {
        /// The bytes of the number.
        package let range: Range<Int>
        /// Whether it counts observations of a histogram or summary: such numbers are kept as they are only if they are
        /// whole and not negative.
        package let isCount: Bool
    }

    /// Whole numbers up to here are the same in every form that counts take.
    private static let maximumCount = 0x1p53

    private let bytes: [UInt8]
    private let places: [Place]

    /// The template of `body`.
    /// - Parameter places: Its numbers, as ``TextParser`` found them, in order.
    /// - Returns: nil if a number is not set off from a name before it: `x-1` is read as a number, `x1` as a name.
    package init?(_ body: UnsafeBufferPointer<UInt8>, places: [Place]) {
        for place in places {
            guard place.range.lowerBound > 0, place.range.upperBound <= body.count else { return nil }
            switch body[place.range.lowerBound - 1] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "}"): break
            default: return nil
            }
        }
        bytes = Array(body)
        self.places = places
    }

    /// Bytes that it takes up.
    package var byteCount: Int { bytes.count + places.count * MemoryLayout<Place>.stride }

    /// The same body with other numbers.
    package func body(with numbers: [String]) -> [UInt8] {
        var body: [UInt8] = []
        var from = 0
        for (place, number) in zip(places, numbers) {
            body.append(contentsOf: bytes[from..<place.range.lowerBound])
            body.append(contentsOf: number.utf8)
            from = place.range.upperBound
        }
        body.append(contentsOf: bytes[from...])
        return body
    }

    /// The numbers of `body`, in order; nil if it does not fit.
    /// - Complexity: O(bytes) comparisons and O(numbers) conversions; one allocation.
    package func numbers(of body: UnsafeBufferPointer<UInt8>) -> [Double]? {
        var numbers: [Double] = []
        numbers.reserveCapacity(places.count)
        // SAFETY: the buffer is only read within the call.
        let fits = bytes.withUnsafeBufferPointer { own in
            var from = 0
            var at = 0
            for place in places {
                let start = place.range.lowerBound
                guard Self.isEqual(own, from..<start, body, at) else { return false }
                at &+= start &- from
                from = place.range.upperBound
                let first = at
                while at < body.count, body[at] > UInt8(ascii: " ") { at &+= 1 }
                guard let number = FloatText.parse(UnsafeBufferPointer(rebasing: body[first..<at])),
                    !place.isCount || Self.isPlainCount(number)
                else { return false }
                numbers.append(number)
            }
            return body.count &- at == own.count &- from && Self.isEqual(own, from..<own.count, body, at)
        }
        return fits ? numbers : nil
    }

    /// A hash of everything but the numbers.
    package static func hash(_ body: UnsafeBufferPointer<UInt8>, without places: [Place]) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: places.count)
        var from = 0
        for index in 0...places.count {
            let end = index < places.count ? places[index].range.lowerBound : body.count
            guard from <= end, end <= body.count else { return hash }
            hash = (hash ^ ByteHash.hash(UnsafeBufferPointer(rebasing: body[from..<end]))) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            if index < places.count { from = places[index].range.upperBound }
        }
        return hash
    }

    private static func isPlainCount(_ number: Double) -> Bool {
        number.sign == .plus && number <= maximumCount && number.rounded(.towardZero) == number
    }

    @inline(__always)
    private static func isEqual(
        _ own: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: UnsafeBufferPointer<UInt8>, _ at: Int
    ) -> Bool {
        guard range.count <= body.count &- at else { return false }
        guard range.count > 0, let first = own.baseAddress, let second = body.baseAddress else { return true }
        // SAFETY: both ranges lie within their buffers.
        return memcmp(first + range.lowerBound, second + at, range.count) == 0
    }
}
