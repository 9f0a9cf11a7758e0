import ByteCoding
import DurableFiles
import MetricModel
import TSDB
import TestSupport

/// What the fuzzer of logs and chunks of the store does with an input.
package enum FuzzStoreBody {
    /// The first byte chooses a file of a data directory, the rest is what it holds: as it is, or, so that the fuzzer
    /// gets behind the checksums, as the content of sound records. The directory is then opened, read, stopped and
    /// opened again, which must give the same samples.
    package static func run(_ input: [UInt8]) throws {
        guard let choice = input.first else { return }
        let body = Array(input.dropFirst())
        let disk = SimulatedDisk(seed: 1)
        switch choice % 9 {
        case 0: disk.poke("data/wal/00000000", body)
        case 1: disk.poke("data/wal/00000000", series + records(body))
        case 2:
            disk.poke("data/wal/00000000", series)
            disk.poke("data/wbl/00000000", records(body))
        case 3: disk.poke("data/chunks_head/000001", body)
        case 4:
            disk.poke("data/wal/00000000", series)
            disk.poke("data/chunks_head/000001", headChunks(body))
        case 5:
            disk.poke("data/wal/00000000", series)
            disk.poke("data/chunk_snapshot.000000.0000000000/00000000", records(body))
        case 6: putBlock(disk, "tombstones", tombstones(body))
        case 7: putBlock(disk, "chunks/000001", body)
        default: putBlock(disk, "index", body)
        }
        var options = Database.Options()
        options.minimumFreeBytes = 0
        options.memorySnapshotOnShutdown = choice % 9 == 5
        guard let first = try content(disk, options) else { return }
        let second = try content(disk, options)
        try hold(second == nil || second == first, "a second start answers otherwise")
    }

    /// How many samples each series has; nil where the directory or a chunk is refused.
    private static func content(_ disk: SimulatedDisk, _ options: Database.Options) throws -> [Labels: Int]? {
        guard let database = try? Database.open("data", options: options, fileSystem: disk) else { return nil }
        var counts: [Labels: Int] = [:]
        var isWhole = true
        for series in (try? database.querier(from: .min, to: .max).select([])) ?? [] {
            var columns = SampleColumns()
            do { try series.read(into: &columns) } catch { isWhole = false }
            try hold(columns.timestamps.count == columns.values.count)
            counts[series.labels, default: 0] += columns.count
        }
        try? database.maintain(now: 0)
        try? database.close()
        return isWhole ? counts.filter { $0.value > 0 } : nil
    }

    // MARK: Sound frames around fuzzed content

    /// Records that are told apart by the length in front of each, two bytes, as fragments of a log.
    private static func records(_ body: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = body[...]
        while rest.count > 2, result.count < 30_000 {
            let length = min(Int(rest.removeFirst()) << 8 | Int(rest.removeFirst()), rest.count, 2_000)
            result += fragment(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return result
    }

    private static func fragment(_ record: [UInt8]) -> [UInt8] {
        let checksum = record.withUnsafeBytes { CRC32C.checksum($0) }
        return [1, UInt8(record.count >> 8), UInt8(record.count & 0xFF)] + bigEndian(checksum) + record
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// Two series, references 1 and 2.
    private static let series: [UInt8] = {
        var record: [UInt8] = [1]
        for number: UInt8 in 1...2 {
            record += [0, 0, 0, 0, 0, 0, 0, number, 2, 8]
            record += Array("__name__".utf8)
            record += [1, 0x6D, 1, 0x69, 1, 0x30 + number]
        }
        return fragment(record)
    }()

    /// A file of head chunks with one chunk: of series 1, its times and encoding first.
    private static func headChunks(_ body: [UInt8]) -> [UInt8] {
        var chunk: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 1] + body.prefix(17)
        let data = body.dropFirst(17)
        var length = UInt64(data.count)
        while length >= 0x80 {
            chunk.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        chunk.append(UInt8(length))
        chunk += data
        return [0x01, 0x30, 0xBC, 0x91, 1, 0, 0, 0] + chunk + bigEndian(chunk.withUnsafeBytes { CRC32C.checksum($0) })
    }

    private static func tombstones(_ body: [UInt8]) -> [UInt8] {
        [0x01, 0x30, 0xBA, 0x30, 1] + body + bigEndian(body.withUnsafeBytes { CRC32C.checksum($0) })
    }

    /// A sound block of a few series, made once.
    private static let block: [(path: String, bytes: [UInt8])] = {
        let disk = SimulatedDisk(seed: 1)
        var backfill = Backfill("data", from: 0, to: 100_000, on: disk)
        for index in 0..<300 {
            backfill.append(
                Labels(["__name__": "m", "i": "\(index % 3)"]), .float(Int64(index) * 100, Double(index), start: 0))
        }
        var random = SeededGenerator(seed: 1)
        _ = try? backfill.finish(ulid: ULID(time: 1, using: &random))
        return disk.paths.compactMap { path in disk.peek(path).map { (path: path, bytes: $0) } }
    }()

    /// The block with one of its files replaced.
    private static func putBlock(_ disk: SimulatedDisk, _ name: String, _ bytes: [UInt8]) {
        for file in block { disk.poke(file.path, file.path.hasSuffix("/" + name) ? bytes : file.bytes) }
    }
}
