internal import DurableFiles
internal import MetricModel

/// The open chunks of the head in a directory of their own, written at a graceful stop, so that the next start need
/// not replay what the log says about them.
///
/// Source of the format: prometheus/prometheus tsdb/docs/format/memory_snapshot.md and tsdb/head_wal.go.
struct MemorySnapshot {
    /// A series and its open chunk.
    struct Entry {
        var reference: UInt64
        var labels: Labels
        var open: Open?
    }

    struct Open {
        var minimumTime: Timestamp
        var maximumTime: Timestamp
        var chunk: Chunk
        var lastHistogram: HistogramSample?
    }

    private enum Kind: UInt8 {
        case series = 1
        case tombstones = 2
        case exemplars = 3
    }

    /// Where in the log the snapshot was taken.
    var segment: Int
    var offset: Int
    var entries: [Entry] = []
    var tombstones: [WALRow.Tombstone] = []
    var exemplars: [WALRow.Exemplar] = []
    /// Whether the record was seen that follows the last series.
    private var isComplete = false

    private init(segment: Int, offset: Int) {
        self.segment = segment
        self.offset = offset
    }

    private static let exemplarsPerRecord = 10_000

    // MARK: Names

    private static func name(_ segment: Int, _ offset: Int) -> String {
        let padded = { (number: Int, width: Int) in
            String(repeating: "0", count: max(0, width - String(number).utf8.count)) + String(number)
        }
        return StoreLayout.snapshotPrefix + padded(segment, 6) + "." + padded(offset, 10)
    }

    private static func position(_ name: String) -> (segment: Int, offset: Int)? {
        guard name.hasPrefix(StoreLayout.snapshotPrefix) else { return nil }
        let parts = name.dropFirst(StoreLayout.snapshotPrefix.count).split(
            separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let segment = WALFormat.segmentNumber(String(parts[0])),
            let offset = WALFormat.segmentNumber(String(parts[1]))
        else { return nil }
        return (segment, offset)
    }

    private static func all(
        in directory: String, on fileSystem: any FileSystem
    ) throws(StoreError) -> [(name: String, segment: Int, offset: Int)] {
        do throws(FileError) {
            return try fileSystem.list(directory).compactMap { name in
                position(name).map { (name, $0.segment, $0.offset) }
            }.sorted { ($0.segment, $0.offset) < ($1.segment, $1.offset) }
        } catch { throw .file(error) }
    }

    // MARK: Writing

    /// Writes a snapshot of `head`, whose log ends at `segment` and `offset`, and removes older ones.
    static func write(
        _ head: Head, segment: Int, offset: Int, into directory: String, on fileSystem: any FileSystem
    ) throws(StoreError) {
        let older = try all(in: directory, on: fileSystem)
        let name = name(segment, offset)
        if older.contains(where: { $0.name == name }) { return }
        let final = PathName.join(directory, name)
        let unfinished = final + WALFormat.unfinishedSuffix
        do throws(StoreError) {
            try removeTree(unfinished, fileSystem)
            let writer = try WALWriter(unfinished, segmentSize: 128 << 20, on: fileSystem)
            try write(head, to: writer)
            try writer.close()
            do throws(FileError) {
                try fileSystem.rename(unfinished, to: final)
                try fileSystem.syncDirectory(final)
                try fileSystem.syncDirectory(directory)
            } catch { throw StoreError.file(error) }
        } catch {
            try? fileSystem.removeTree(unfinished)
            throw error
        }
        for old in older { try removeTree(PathName.join(directory, old.name), fileSystem) }
    }

    /// Removes all snapshots in `directory`, durably: for when the chunk files are not what they stand on.
    static func removeAll(in directory: String, on fileSystem: any FileSystem) throws(StoreError) {
        let found = try all(in: directory, on: fileSystem)
        guard !found.isEmpty else { return }
        for one in found { try removeTree(PathName.join(directory, one.name), fileSystem) }
        do throws(FileError) { try fileSystem.syncDirectory(directory) } catch { throw .file(error) }
    }

    private static func removeTree(_ path: String, _ fileSystem: any FileSystem) throws(StoreError) {
        do throws(FileError) { try fileSystem.removeTree(path) } catch { throw .file(error) }
    }

    private static func write(_ head: Head, to writer: WALWriter) throws(StoreError) {
        var batch = WALRecordBatch()
        let compression = head.setup.walCompression
        for series in head.series.all {
            let open = series.lock.withLock { _ in
                series.openChunk.map {
                    Open(
                        minimumTime: series.openMinimumTime, maximumTime: series.lastTimestamp, chunk: $0,
                        lastHistogram: series.extra?.lastHistogram)
                }
            }
            encode(Entry(reference: series.reference, labels: series.labels, open: open), into: &batch.record)
            try batch.finishRecord(compression)
            if batch.byteCount > 1 << 20 {
                _ = try writer.write(batch)
                batch.removeAll()
            }
        }
        batch.record.put(Kind.tombstones.rawValue)
        var stones = WireBuffer()
        stones.put(UInt8(1))
        for (reference, intervals) in head.deletions.all.sorted(by: { $0.key < $1.key }) {
            for interval in intervals {
                stones.put(uvarint: reference)
                stones.put(varint: interval.minimumTime)
                stones.put(varint: interval.maximumTime)
            }
        }
        batch.record.put(uvarint: UInt64(stones.count))
        batch.record.put(stones.bytes)
        try batch.finishRecord(compression)
        try writeExemplars(head, &batch, compression)
        _ = try writer.write(batch)
    }

    private static func writeExemplars(
        _ head: Head, _ batch: inout WALRecordBatch, _ compression: WALCompression
    ) throws(StoreError) {
        let rows: [WALRow.Exemplar] = head.exemplars.all.compactMap { entry in
            guard let series = head.series.series(entry.series, hash: entry.series.hash64) else { return nil }
            return WALRow.Exemplar(
                reference: series.reference, timestamp: entry.timestamp, value: entry.exemplar.value,
                labels: entry.exemplar.labels)
        }
        for start in stride(from: 0, to: rows.count, by: exemplarsPerRecord) {
            batch.record.put(Kind.exemplars.rawValue)
            WALRecordEncoder.appendExemplars(
                Array(rows[start..<min(rows.count, start + exemplarsPerRecord)]), to: &batch.record)
            try batch.finishRecord(compression)
        }
    }

    private static func encode(_ entry: Entry, into buffer: inout WireBuffer) {
        buffer.put(Kind.series.rawValue)
        WALRecordEncoder.appendSeries(entry.reference, entry.labels, to: &buffer)
        buffer.put(bigEndian: 0)
        guard let open = entry.open else { return buffer.put(uvarint: 0) }
        buffer.put(uvarint: 1)
        buffer.put(bigEndian: UInt64(bitPattern: open.minimumTime))
        buffer.put(bigEndian: UInt64(bitPattern: open.maximumTime))
        buffer.put(open.chunk.encoding.rawValue)
        buffer.put(uvarint: UInt64(open.chunk.byteCount))
        open.chunk.withUnsafeBytes { buffer.put($0) }
        if open.chunk.encoding.holdsFloats {
            // Three samples that older programs kept here, then the last value.
            for _ in 0..<7 { buffer.put(bigEndian: 0) }
            var columns = SampleColumns()
            // What this head has encoded itself can be decoded.
            try? open.chunk.decode(into: &columns)
            buffer.put(columns.values.last ?? 0)
        } else if let histogram = open.lastHistogram {
            WALRecordEncoder.append(histogram, to: &buffer)
        }
    }

    // MARK: Reading

    /// The newest snapshot in `directory`, completely read; nil if there is none or it is damaged.
    static func newest(
        in directory: String, on fileSystem: any FileSystem, events: (StoreEvent) -> Void
    ) throws(StoreError) -> MemorySnapshot? {
        guard let (name, segment, offset) = try all(in: directory, on: fileSystem).last else { return nil }
        let path = PathName.join(directory, name)
        var snapshot = MemorySnapshot(segment: segment, offset: offset)
        for number in try WALListing(path, on: fileSystem).segments {
            let segmentPath = PathName.join(path, WALFormat.segmentName(number))
            let file: MappedFile
            do throws(FileError) { file = try fileSystem.map(segmentPath) } catch { throw .file(error) }
            var problem: (offset: Int, reason: String)?
            let outcome = file.withUnsafeBytes { bytes in
                WALScanner().scan(bytes) { record, offset in
                    do throws(WALRecordError) { try snapshot.add(record) } catch {
                        if problem == nil { problem = (offset, error.reason) }
                    }
                }
            }
            if let damage = outcome.damages.first { problem = (damage.offset, damage.reason) }
            if let problem {
                events(.repaired(path: segmentPath, offset: Int64(problem.offset), reason: problem.reason))
                return nil
            }
        }
        guard snapshot.isComplete else {
            events(.repaired(path: path, offset: 0, reason: "memory snapshot is incomplete"))
            return nil
        }
        return snapshot
    }

    private mutating func add(_ record: UnsafeRawBufferPointer) throws(WALRecordError) {
        var cursor = WireCursor(record)
        switch Kind(rawValue: cursor.byte()) {
        case .series: entries.append(try MemorySnapshot.entry(&cursor))
        case .tombstones:
            var inner = WireCursor(cursor.text())
            guard !cursor.isBad, inner.byte() == 1 else { throw WALRecordError(reason: "unknown tombstone format") }
            while inner.hasMore {
                let row = WALRow.Tombstone(
                    reference: inner.uvarint(), minimumTime: inner.varint(), maximumTime: inner.varint())
                if !inner.isBad { tombstones.append(row) }
            }
            if inner.isBad { throw WALRecordError(reason: "record of tombstones ends early") }
            isComplete = true
        case .exemplars:
            exemplars += try WALRecordDecoder.exemplars(
                UnsafeRawBufferPointer(rebasing: record.dropFirst()), skippingKind: false)
        case nil: throw WALRecordError(reason: "unknown snapshot record type \(record.first ?? 0)")
        }
    }

    private static func entry(_ cursor: inout WireCursor) throws(WALRecordError) -> Entry {
        let reference = cursor.bigEndian64()
        let labels = try WALRecordDecoder.labels(&cursor)
        _ = cursor.bigEndian64()
        var entry = Entry(reference: reference, labels: labels)
        let hasChunk = cursor.uvarint() != 0
        if hasChunk {
            let minimum = Int64(bitPattern: cursor.bigEndian64())
            let maximum = Int64(bitPattern: cursor.bigEndian64())
            let number = cursor.byte()
            let data = cursor.text()
            guard let encoding = ChunkEncoding(rawValue: number) else {
                throw WALRecordError(reason: "unknown chunk encoding \(number)")
            }
            var open = Open(
                minimumTime: minimum, maximumTime: maximum, chunk: Chunk(encoding: encoding, bytes: Array(data)))
            if encoding.holdsFloats {
                for _ in 0..<8 { _ = cursor.bigEndian64() }
            } else {
                let isFloat = encoding == .floatHistogram || encoding == .floatHistogramST
                open.lastHistogram =
                    isFloat
                    ? WALRecordDecoder.floatHistogram(&cursor) : WALRecordDecoder.integerHistogram(&cursor)
            }
            entry.open = open
        }
        if cursor.isBad { throw WALRecordError(reason: "record of a series ends early") }
        return entry
    }
}
