internal import ByteCoding
internal import DurableFiles
internal import MetricModel

/// What the index says about a chunk of a series.
package struct ChunkMeta: Sendable, Hashable {
    /// Where the data is: for blocks the number of the segment file in the upper half, the offset in it in the lower.
    package var reference: UInt64
    /// Time of the first sample.
    package var minimumTime: Int64
    /// Time of the last sample.
    package var maximumTime: Int64

    /// Of a chunk at `reference`.
    package init(reference: UInt64, minimumTime: Int64, maximumTime: Int64) {
        self.reference = reference
        self.minimumTime = minimumTime
        self.maximumTime = maximumTime
    }

    /// Whether the chunk may have samples from `start` to `end`, both included.
    package func overlaps(_ start: Int64, _ end: Int64) -> Bool { minimumTime <= end && maximumTime >= start }
}

/// Writes the index of a block: all symbols first, then the series in order, then the lists of series by label.
///
/// Memory: the symbols, 16 bytes a label pair, and while the lists are made, about as much as the label with most
/// series takes: the series section is read back for one batch of labels after the other, as upstream does.
/// Source: prometheus/prometheus tsdb/docs/format/index.md and tsdb/index/index.go.
final class IndexWriter {
    private let output: FileOutput
    private let fileSystem: any FileSystem
    private let path: String
    private let symbols: SymbolTable
    private var contents = IndexFormat.TableOfContents()
    private var lastLabels = Labels.empty
    private var lastReference: UInt64 = 0
    private var seriesCount = 0
    /// How many series have a label name, by the name's symbol.
    private var uses: [UInt32: Int] = [:]
    private var entry = WireBuffer(capacity: 4096)
    /// For each list of postings: name and value symbol, and where it is.
    private var lists: [(name: UInt32, value: UInt32, offset: UInt64)] = []

    /// Labels that are turned into lists in one go: more costs memory, less costs passes over the series.
    private static let batchSize = 2 << 20

    /// - Parameter symbols: All label names and values that will occur, sorted, each once.
    init(_ path: String, symbols: [ByteString], on fileSystem: any FileSystem) throws(StoreError) {
        self.path = path
        self.fileSystem = fileSystem
        self.symbols = SymbolTable(symbols)
        output = try FileOutput(path, on: fileSystem)
        output.put(bigEndian32: IndexFormat.magic)
        output.put(IndexFormat.version)
        try writeSymbols()
        contents.series = output.position
    }

    private func writeSymbols() throws(StoreError) {
        contents.symbols = output.position
        output.put(bigEndian32: 0)
        output.beginChecksum()
        output.put(bigEndian32: UInt32(truncatingIfNeeded: symbols.count))
        for index in 0..<symbols.count {
            output.put(text: symbols[index])
            try output.flushIfLarge()
        }
        let length = output.position - contents.symbols - 4
        output.putChecksum()
        try output.patch(bigEndian32: try size(length, of: "symbol table"), at: contents.symbols)
    }

    private func size(_ length: Int, of section: String) throws(StoreError) -> UInt32 {
        guard let size = UInt32(exactly: length) else {
            throw .refused("\(section) size exceeds 4 bytes: \(length)")
        }
        return size
    }

    /// Adds a series; series come in order of their labels, chunks in order of time and reference.
    /// - Throws: ``StoreError/refused(_:)`` for a wrong order or a text that is no symbol.
    func addSeries(_ labels: Labels, chunks: [ChunkMeta]) throws(StoreError) {
        guard seriesCount == 0 || lastLabels < labels else {
            throw .refused("out-of-order series added with label set \(labels), last label set \(lastLabels)")
        }
        try checkOrder(chunks)
        output.align(IndexFormat.seriesAlignment)
        guard output.position / IndexFormat.seriesAlignment <= Int(UInt32.max) else {
            throw .refused("\(path): exceeding max size of 64GiB")
        }
        entry.removeAll()
        entry.put(uvarint: UInt64(labels.count))
        let packed = labels.packedBytes
        var missing = false
        labels.forEachRange { nameRange, valueRange in
            packed.withUnsafeBytes { bytes in
                guard let name = symbols.index(of: UnsafeRawBufferPointer(rebasing: bytes[nameRange])),
                    let value = symbols.index(of: UnsafeRawBufferPointer(rebasing: bytes[valueRange]))
                else { return missing = true }
                entry.put(uvarint: UInt64(name))
                entry.put(uvarint: UInt64(value))
                uses[name, default: 0] += 1
            }
        }
        if missing { throw .refused("a symbol of \(labels) does not exist") }
        put(chunks)
        output.put(uvarint: UInt64(entry.count))
        output.put(entry.bytes)
        output.put(bigEndian32: CRC32C.checksum(entry.bytes))
        try output.flushIfLarge()
        lastLabels = labels
        seriesCount += 1
    }

    private func checkOrder(_ chunks: [ChunkMeta]) throws(StoreError) {
        var last: ChunkMeta?
        for chunk in chunks {
            guard chunk.reference >= lastReference else {
                throw .refused("unsorted chunk reference: \(chunk.reference), previous: \(lastReference)")
            }
            lastReference = chunk.reference
            if let last, chunk.minimumTime <= last.maximumTime {
                throw .refused(
                    "chunk minT \(chunk.minimumTime) is not higher than previous chunk maxT \(last.maximumTime)")
            }
            guard chunk.maximumTime >= chunk.minimumTime else {
                throw .refused("chunk maxT \(chunk.maximumTime) is less than minT \(chunk.minimumTime)")
            }
            last = chunk
        }
    }

    private func put(_ chunks: [ChunkMeta]) {
        entry.put(uvarint: UInt64(chunks.count))
        guard let first = chunks.first else { return }
        entry.put(varint: first.minimumTime)
        entry.put(uvarint: UInt64(bitPattern: first.maximumTime &- first.minimumTime))
        entry.put(uvarint: first.reference)
        var last = first
        for chunk in chunks.dropFirst() {
            entry.put(uvarint: UInt64(bitPattern: chunk.minimumTime &- last.maximumTime))
            entry.put(uvarint: UInt64(bitPattern: chunk.maximumTime &- chunk.minimumTime))
            entry.put(varint: Int64(bitPattern: chunk.reference &- last.reference))
            last = chunk
        }
    }

    /// Writes the rest, syncs and closes.
    func finish() throws(StoreError) {
        contents.labelIndices = output.position
        try output.flush()
        try writePostings()
        contents.labelIndicesTable = output.position
        contents.postingsTable = output.position
        try writePostingsTable()
        output.beginChecksum()
        for offset in [
            contents.symbols, contents.series, contents.labelIndices, contents.labelIndicesTable, contents.postings,
            contents.postingsTable,
        ] { output.put(bigEndian: UInt64(offset)) }
        output.putChecksum()
        try output.finish()
    }

    /// Closes the unfinished file after an error.
    func abandon() { output.abandon() }

    // MARK: Postings

    private func writePostings() throws(StoreError) {
        let mapped: MappedFile
        do { mapped = try fileSystem.map(path) } catch { throw .file(error) }
        let section = contents.series..<contents.labelIndices
        var all: [UInt32] = []
        all.reserveCapacity(seriesCount)
        try scan(mapped, section) { number, _ in all.append(number) }
        output.align(4)
        contents.postings = output.position
        try writeList(all[...])
        let allOffset = UInt64(contents.postings)
        // The list of all series has empty texts in the table, whose symbols need not exist: it is noted apart.
        lists.append((.max, .max, allOffset))
        var names = uses.keys.sorted()[...]
        while let first = names.first {
            var batch: Set<UInt32> = [first]
            var total = uses[first] ?? 0
            names.removeFirst()
            while let next = names.first, total + (uses[next] ?? 0) <= Self.batchSize {
                total += uses[next] ?? 0
                batch.insert(next)
                names.removeFirst()
            }
            try writeLists(of: batch, total, mapped, section)
        }
    }

    private func writeLists(
        of names: Set<UInt32>, _ total: Int, _ mapped: MappedFile, _ section: Range<Int>
    ) throws(StoreError) {
        // Value symbol and series in one word: sorting it sorts by value, then series.
        var pairs: [UInt32: [UInt64]] = [:]
        for name in names {
            var list: [UInt64] = []
            list.reserveCapacity(uses[name] ?? 0)
            pairs[name] = list
        }
        try scan(mapped, section) { number, cursor in
            let labels = cursor.count(minimumSize: 2)
            for _ in 0..<labels {
                let name = UInt32(truncatingIfNeeded: cursor.uvarint())
                let value = cursor.uvarint()
                if names.contains(name) { pairs[name]?.append(value << 32 | UInt64(number)) }
            }
        }
        for name in names.sorted() {
            guard var list = pairs.removeValue(forKey: name) else { continue }
            list.sort()
            var start = 0
            while start < list.count {
                let value = list[start] >> 32
                var end = start
                while end < list.count, list[end] >> 32 == value { end += 1 }
                let offset = alignedPosition
                try writeList(list[start..<end].map { UInt32(truncatingIfNeeded: $0) }[...])
                lists.append((name, UInt32(truncatingIfNeeded: value), UInt64(offset)))
                start = end
            }
        }
    }

    private var alignedPosition: Int { (output.position + 3) / 4 * 4 }

    private func writeList(_ numbers: ArraySlice<UInt32>) throws(StoreError) {
        output.align(4)
        output.put(bigEndian32: try size(4 + numbers.count * 4, of: "posting"))
        output.beginChecksum()
        output.put(bigEndian32: UInt32(numbers.count))
        for number in numbers { output.put(bigEndian32: number) }
        output.putChecksum()
        try output.flushIfLarge()
    }

    /// Calls `body` with the number of each series and a cursor at its labels.
    private func scan(
        _ mapped: MappedFile, _ section: Range<Int>, _ body: (UInt32, inout WireCursor) -> Void
    ) throws(StoreError) {
        let sound: Bool? = mapped.withUnsafeBytes(in: section) { bytes in
            var offset = 0
            var seen = 0
            while seen < seriesCount {
                let over = (section.lowerBound + offset) % IndexFormat.seriesAlignment
                if over > 0 { offset += IndexFormat.seriesAlignment - over }
                guard offset < bytes.count else { return false }
                var cursor = WireCursor(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
                let length = cursor.count(minimumSize: 1)
                guard !cursor.isBad else { return false }
                let next = offset + cursor.offset + length + 4
                body(UInt32((section.lowerBound + offset) / IndexFormat.seriesAlignment), &cursor)
                guard !cursor.isBad else { return false }
                offset = next
                seen += 1
            }
            return true
        }
        guard sound == true else {
            throw .corrupt(path: path, offset: Int64(section.lowerBound), reason: "series just written are unreadable")
        }
    }

    private func writePostingsTable() throws(StoreError) {
        let start = output.position
        output.put(bigEndian32: 0)
        output.beginChecksum()
        output.put(bigEndian32: UInt32(truncatingIfNeeded: lists.count))
        for list in lists {
            output.put(2)
            if list.name == .max {
                output.put(text: [])
                output.put(text: [])
            } else {
                output.put(text: symbols[Int(list.name)])
                output.put(text: symbols[Int(list.value)])
            }
            output.put(uvarint: list.offset)
            try output.flushIfLarge()
        }
        let length = output.position - start - 4
        output.putChecksum()
        try output.patch(bigEndian32: try size(length, of: "postings table"), at: start)
    }
}
