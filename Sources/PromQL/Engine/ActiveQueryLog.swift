internal import ByteCoding
internal import MetricModel
internal import Synchronization

/// Notes the queries that are running where a crash leaves them readable; the next start tells which they were.
package final class ActiveQueryLog: Sendable {
    /// Where an entry is kept; survives the process.
    package protocol Storage: Sendable {
        /// Writes `bytes` at `offset`; a failure is the storage's own affair.
        func write(_ bytes: [UInt8], at offset: Int)
    }

    /// Bytes of an entry.
    package static let entrySize = 1000

    private let storage: any Storage
    private let now: @Sendable () -> Int64
    private let free: Mutex<[Int]>

    /// A log with room for `count` queries at a time.
    /// - Parameter now: Seconds since 1970.
    ///
    /// Source of the form: prometheus/prometheus promql/query_logger.go.
    package init(count: Int, storage: any Storage, now: @escaping @Sendable () -> Int64) {
        self.storage = storage
        self.now = now
        free = Mutex(Array((0..<count).reversed()))
        storage.write([UInt8](repeating: 0, count: 1 + count * Self.entrySize), at: 0)
        storage.write([UInt8(ascii: "[")], at: 0)
    }

    /// Notes a query; nil if there is no room.
    func insert(_ query: ByteString) -> Int? {
        guard let place = free.withLock({ $0.popLast() }) else { return nil }
        let ending = Array(",\"timestamp_sec\":\(now())},".utf8)
        var entry: [UInt8] = []
        var length = Self.entrySize
        repeat {
            // Cut until it fits, escapes included.
            length = length * 3 / 4
            entry = Array("{\"query\":".utf8)
            JSONText.append(query.bytes.prefix(length), to: &entry)
            entry += ending
        } while entry.count > Self.entrySize && length > 0
        entry += [UInt8](repeating: 0, count: max(0, Self.entrySize - entry.count))
        storage.write(entry, at: 1 + place * Self.entrySize)
        return place
    }

    /// Removes an entry.
    func remove(_ place: Int) {
        storage.write([UInt8](repeating: 0, count: Self.entrySize), at: 1 + place * Self.entrySize)
        free.withLock { $0.append(place) }
    }
}
