internal import ByteCoding
internal import DurableFiles
internal import MetricModel

/// Which samples of which series of a block are deleted, and the file that says so.
///
/// Source: prometheus/prometheus tsdb/docs/format/tombstones.md and tsdb/tombstones/tombstones.go.
struct Tombstones: Sendable, Equatable {
    /// By series, ascending, without overlaps.
    private(set) var intervals: [UInt64: [TimeInterval]] = [:]

    static let fileName = "tombstones"
    private static let magic: UInt32 = 0x0130_BA30

    /// None.
    init() {}

    /// Number of intervals.
    var count: Int { intervals.values.reduce(0) { $0 + $1.count } }

    /// Whether nothing is deleted.
    var isEmpty: Bool { intervals.isEmpty }

    /// The deleted intervals of a series.
    subscript(_ series: UInt64) -> [TimeInterval] { intervals[series] ?? [] }

    /// Adds a deletion, merged with those that it touches.
    mutating func add(_ series: UInt64, _ interval: TimeInterval) {
        intervals[series] = HeadDeletions.adding(interval, to: intervals[series] ?? [])
    }

    /// The content of the file.
    var encoded: [UInt8] {
        var buffer = WireBuffer()
        buffer.put(bigEndian32: Self.magic)
        buffer.put(UInt8(1))
        for series in intervals.keys.sorted() {
            for interval in intervals[series] ?? [] {
                buffer.put(uvarint: series)
                buffer.put(varint: interval.minimumTime)
                buffer.put(varint: interval.maximumTime)
            }
        }
        // The checksum leaves out the format byte, for reasons of history.
        buffer.put(bigEndian32: CRC32C.checksum(UnsafeRawBufferPointer(rebasing: buffer.bytes[5...])))
        return Array(buffer.bytes)
    }

    /// The meaning of the file; `path` is named in errors.
    init(_ bytes: [UInt8], path: String) throws(StoreError) {
        func corrupt(_ offset: Int, _ reason: String) -> StoreError {
            .corrupt(path: path, offset: Int64(offset), reason: reason)
        }
        guard bytes.count >= 9 else { throw corrupt(0, "tombstones header: invalid size") }
        var found: [(UInt64, TimeInterval)] = []
        let problem: (Int, String)? = bytes.withUnsafeBytes { all in
            var head = WireCursor(all)
            let magic = head.bigEndian32()
            guard magic == Self.magic else { return (0, "invalid magic number \(String(magic, radix: 16))") }
            let format = head.byte()
            guard format == 1 else { return (4, "invalid tombstone format \(String(format, radix: 16))") }
            let content = UnsafeRawBufferPointer(rebasing: all[5..<(all.count - 4)])
            var tail = WireCursor(UnsafeRawBufferPointer(rebasing: all[(all.count - 4)...]))
            guard CRC32C.checksum(content) == tail.bigEndian32() else { return (5, "checksum did not match") }
            var cursor = WireCursor(content)
            while cursor.hasMore {
                let start = cursor.offset
                let series = cursor.uvarint()
                let minimum = cursor.varint()
                let maximum = cursor.varint()
                guard !cursor.isBad else { return (5 + start, "tombstone is cut off") }
                guard minimum <= maximum else { continue }
                found.append((series, TimeInterval(minimumTime: minimum, maximumTime: maximum)))
            }
            return nil
        }
        if let problem { throw corrupt(problem.0, problem.1) }
        for (series, interval) in found { add(series, interval) }
    }

    /// The file in a block's directory; none is as good as an empty one.
    static func read(_ directory: String, on fileSystem: any FileSystem) throws(StoreError) -> Tombstones {
        let path = PathName.join(directory, fileName)
        let bytes: [UInt8]
        do throws(FileError) {
            guard try fileSystem.exists(path) else { return Tombstones() }
            bytes = try fileSystem.contents(path)
        } catch { throw .file(error) }
        return try Tombstones(bytes, path: path)
    }
}
