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
        let text = Quoting.quote(ByteString(query.bytes.prefix(400)))
        var entry = Array("{\"query\":\(text),\"timestamp_sec\":\(now())}".utf8.prefix(Self.entrySize - 1))
        entry.append(UInt8(ascii: ","))
        entry += [UInt8](repeating: 0, count: Self.entrySize - entry.count)
        storage.write(entry, at: 1 + place * Self.entrySize)
        return place
    }

    /// Removes an entry.
    func remove(_ place: Int) {
        storage.write([UInt8](repeating: 0, count: Self.entrySize), at: 1 + place * Self.entrySize)
        free.withLock { $0.append(place) }
    }
}
