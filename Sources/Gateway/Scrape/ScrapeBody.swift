/// The body of an answer as a list of buffers, most of them shared with the store's caches: hand them to the socket one
/// after the other, they need not be put together.
package struct ScrapeBody: Sendable {
    /// In order; none is empty.
    package private(set) var parts: [[UInt8]] = []
    /// Bytes of all parts.
    package private(set) var count = 0
    /// Series that the answer leaves out because they conflict with others.
    package var leftOutCount = 0

    mutating func append(_ part: [UInt8]) {
        guard !part.isEmpty else { return }
        parts.append(part)
        count += part.count
    }

    /// All bytes in one array, for tests and small bodies.
    /// - Complexity: O(bytes).
    package var bytes: [UInt8] {
        var all: [UInt8] = []
        all.reserveCapacity(count)
        for part in parts { all.append(contentsOf: part) }
        return all
    }
}
