internal import ByteCoding
package import DurableFiles
package import MetricModel

/// Reads the index of a block through a mapping.
///
/// Opening checks the table of contents, the symbols and the table of postings; series and lists are checked when they
/// are read. In memory: a 32-bit offset for every 8th symbol and every 32nd label value, and
/// up to 8,192 values that were listed lately.
/// Source: prometheus/prometheus tsdb/docs/format/index.md and tsdb/index/index.go.
package final class IndexReader: Sendable {
    let file: MappedFile
    let contents: IndexFormat.TableOfContents
    private let symbolCount: Int
    /// Offset in the file of every ``symbolStride``th symbol.
    private let symbolOffsets: [UInt32]
    /// What is kept in memory of the symbols, in bytes.
    var symbolBytes: Int { symbolOffsets.count * MemoryLayout<UInt32>.stride }
    let names: [ByteString]
    let tables: [ByteString: ValueTable]
    let allOffset: Int?
    let remembered = RememberedValues()

    static let symbolStride = 8
    static let valueStride = 32

    /// Where the values of one label name stand in the table of postings.
    struct ValueTable: Sendable {
        /// Offset of every ``IndexReader/valueStride``th entry.
        var offsets: [Int] = []
        /// Offset after the last entry.
        var end = 0
        var count = 0
    }

    /// The index in `path`.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)``, ``StoreError/file(_:)``.
    /// - Complexity: O(symbols + label pairs).
    package convenience init(_ path: String, on fileSystem: any FileSystem) throws(StoreError) {
        let mapped: MappedFile
        do { mapped = try fileSystem.map(path) } catch { throw .file(error) }
        try self.init(mapped)
    }

    /// The index in a file that is mapped already.
    package init(_ file: MappedFile) throws(StoreError) {
        self.file = file
        contents = try Self.readContents(file)
        (symbolCount, symbolOffsets) = try Self.readSymbols(file, contents.symbols)
        (names, tables, allOffset) = try Self.readPostingsTable(file, contents.postingsTable)
    }

    // MARK: Symbols

    /// Calls `body` with each symbol in order, until it returns false.
    func forEachSymbol(_ body: (UnsafeRawBufferPointer) -> Bool) throws(StoreError) {
        guard let first = symbolOffsets.first else { return }
        let sound = file.withUnsafeBytes { bytes -> Bool in
            var cursor = WireCursor(UnsafeRawBufferPointer(rebasing: bytes[Int(first)...]))
            for _ in 0..<symbolCount {
                let text = cursor.text()
                if cursor.isBad { return false }
                if !body(text) { return true }
            }
            return true
        }
        guard sound else { throw Self.corrupt(file, contents.symbols, "symbol table is damaged") }
    }

    /// All symbols, sorted.
    package func symbols() throws(StoreError) -> [ByteString] {
        var result: [ByteString] = []
        result.reserveCapacity(symbolCount)
        try forEachSymbol { text in
            result.append(ByteString(Array(text)))
            return true
        }
        return result
    }

    /// The text of symbol `number`; nil if there is none.
    @inline(__always)
    private func symbol(_ number: UInt64, _ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard number < UInt64(symbolCount) else { return nil }
        let index = Int(number)
        let start = Int(symbolOffsets[index / Self.symbolStride])
        var cursor = WireCursor(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        for _ in 0..<(index % Self.symbolStride) { _ = cursor.text() }
        let text = cursor.text()
        return cursor.isBad ? nil : text
    }

    // MARK: Series

    /// The labels and chunks of a series.
    /// - Throws: ``StoreError/corrupt(path:offset:reason:)``, also if there is no series of that number.
    package func series(_ number: UInt32) throws(StoreError) -> (labels: Labels, chunks: [ChunkMeta]) {
        var chunks: [ChunkMeta] = []
        let labels = try readSeries(number) { cursor in Self.readChunks(&cursor, into: &chunks) }
        return (labels, chunks)
    }

    func readSeries(
        _ number: UInt32, _ rest: (inout WireCursor) -> Bool
    ) throws(StoreError) -> Labels {
        let offset = Int(number) * IndexFormat.seriesAlignment
        guard offset >= contents.series, offset < file.count else {
            throw Self.corrupt(file, offset, "no series there")
        }
        var packed: [UInt8] = []
        let problem = file.withUnsafeBytes { bytes -> String? in
            var head = WireCursor(UnsafeRawBufferPointer(rebasing: bytes[offset...]))
            let length = head.count(minimumSize: 1)
            let content = head.slice(length)
            let expected = head.bigEndian32()
            guard !head.isBad else { return "series entry exceeds the file" }
            guard CRC32C.checksum(content) == expected else { return "invalid checksum of series" }
            var cursor = WireCursor(content)
            let labels = cursor.count(minimumSize: 2)
            packed.reserveCapacity(labels * 24)
            for _ in 0..<labels {
                let name = cursor.uvarint()
                let value = cursor.uvarint()
                guard !cursor.isBad, let nameText = symbol(name, bytes), let valueText = symbol(value, bytes) else {
                    return "series refers to no symbol"
                }
                Labels.append(nameText, to: &packed)
                Labels.append(valueText, to: &packed)
            }
            guard !cursor.isBad, rest(&cursor) else { return "series entry is damaged" }
            return nil
        }
        if let problem { throw Self.corrupt(file, offset, problem) }
        return Labels(assumingPacked: packed)
    }

    private static func readChunks(_ cursor: inout WireCursor, into chunks: inout [ChunkMeta]) -> Bool {
        let count = cursor.count(minimumSize: 3)
        chunks.reserveCapacity(count)
        var maximum: Int64 = 0
        var reference: UInt64 = 0
        for index in 0..<count {
            let minimum =
                index == 0 ? cursor.varint() : maximum &+ Int64(bitPattern: cursor.uvarint())
            maximum = minimum &+ Int64(bitPattern: cursor.uvarint())
            reference =
                index == 0 ? cursor.uvarint() : reference &+ UInt64(bitPattern: cursor.varint())
            chunks.append(ChunkMeta(reference: reference, minimumTime: minimum, maximumTime: maximum))
        }
        return !cursor.isBad
    }
}
