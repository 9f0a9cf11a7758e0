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
    private let contents: IndexFormat.TableOfContents
    private let symbolCount: Int
    /// Offset in the file of every ``symbolStride``th symbol.
    private let symbolOffsets: [UInt32]
    /// What is kept in memory of the symbols, in bytes.
    var symbolBytes: Int { symbolOffsets.count * MemoryLayout<UInt32>.stride }
    private let names: [ByteString]
    private let tables: [ByteString: ValueTable]
    private let allOffset: Int?
    private let remembered = RememberedValues()

    private static let symbolStride = 8
    private static let valueStride = 32

    /// Where the values of one label name stand in the table of postings.
    private struct ValueTable: Sendable {
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

    // MARK: Opening

    private static func corrupt(_ file: MappedFile, _ offset: Int, _ reason: String) -> StoreError {
        .corrupt(path: file.path, offset: Int64(offset), reason: reason)
    }

    private static func readContents(_ file: MappedFile) throws(StoreError) -> IndexFormat.TableOfContents {
        guard file.count >= IndexFormat.headerSize + IndexFormat.tableOfContentsSize else {
            throw corrupt(file, 0, "invalid size \(file.count): too short for an index")
        }
        guard file.bigEndian(at: 0, as: UInt32.self) == IndexFormat.magic else {
            throw corrupt(file, 0, "invalid magic number")
        }
        guard file[4] == IndexFormat.version else {
            throw corrupt(file, 4, "unknown index file version \(file[4] ?? 0)")
        }
        let start = file.count - IndexFormat.tableOfContentsSize
        try verify(file, start..<(start + 48), "table of contents")
        var offsets: [Int] = []
        for index in 0..<6 {
            let raw: UInt64 = file.bigEndian(at: start + index * 8) ?? 0
            guard raw <= UInt64(start) else {
                throw corrupt(file, start + index * 8, "section offset \(raw) beyond the end")
            }
            offsets.append(Int(raw))
        }
        return IndexFormat.TableOfContents(
            symbols: offsets[0], series: offsets[1], labelIndices: offsets[2], labelIndicesTable: offsets[3],
            postings: offsets[4], postingsTable: offsets[5])
    }

    /// Checks that the four bytes after `range` are its checksum.
    private static func verify(_ file: MappedFile, _ range: Range<Int>, _ what: String) throws(StoreError) {
        guard let expected: UInt32 = file.bigEndian(at: range.upperBound),
            let actual = file.withUnsafeBytes(in: range, { CRC32C.checksum($0) })
        else { throw corrupt(file, range.lowerBound, "\(what) exceeds the file") }
        guard expected == actual else { throw corrupt(file, range.lowerBound, "invalid checksum of \(what)") }
    }

    /// The content of a section that begins with its length, checked; empty for the offset 0, "not there".
    private static func section(
        _ file: MappedFile, _ offset: Int, _ what: String
    ) throws(StoreError) -> Range<Int> {
        guard offset > 0 else { return 0..<0 }
        guard let length: UInt32 = file.bigEndian(at: offset), length >= 4,
            Int(length) <= file.count - offset - 8
        else { throw corrupt(file, offset, "\(what) exceeds the file") }
        let range = (offset + 4)..<(offset + 4 + Int(length))
        try verify(file, range, what)
        return range
    }

    private static func readSymbols(
        _ file: MappedFile, _ offset: Int
    ) throws(StoreError) -> (Int, [UInt32]) {
        let range = try section(file, offset, "symbol table")
        guard !range.isEmpty else { return (0, []) }
        let count = Int(file.bigEndian(at: range.lowerBound, as: UInt32.self) ?? 0)
        var offsets: [UInt32] = []
        let sound = file.withUnsafeBytes(in: range) { bytes -> Bool in
            var cursor = WireCursor(bytes)
            _ = cursor.bigEndian32()
            guard count <= cursor.left else { return false }
            offsets.reserveCapacity(count / symbolStride + 1)
            for index in 0..<count {
                if index % symbolStride == 0 {
                    guard let known = UInt32(exactly: range.lowerBound + cursor.offset) else { return false }
                    offsets.append(known)
                }
                _ = cursor.text()
                if cursor.isBad { return false }
            }
            return true
        }
        guard sound == true else { throw corrupt(file, offset, "symbol table is damaged") }
        return (count, offsets)
    }

    private static func readPostingsTable(
        _ file: MappedFile, _ offset: Int
    ) throws(StoreError) -> ([ByteString], [ByteString: ValueTable], Int?) {
        let range = try section(file, offset, "postings table")
        guard !range.isEmpty else { return ([], [:], nil) }
        var names: [ByteString] = []
        var tables: [ByteString: ValueTable] = [:]
        var allOffset: Int?
        let sound = file.withUnsafeBytes(in: range) { bytes -> Bool in
            var cursor = WireCursor(bytes)
            let count = Int(cursor.bigEndian32())
            guard count <= cursor.left / 4 else { return false }
            var current = ValueTable()
            var currentName: ByteString?
            func close() {
                guard let name = currentName else { return }
                names.append(name)
                tables[name] = current
            }
            for _ in 0..<count {
                let start = range.lowerBound + cursor.offset
                guard cursor.byte() == 2 else { return false }
                let name = cursor.text()
                let value = cursor.text()
                let list = cursor.uvarint()
                guard !cursor.isBad, list <= UInt64(file.count) else { return false }
                if name.isEmpty && value.isEmpty {
                    allOffset = Int(list)
                    continue
                }
                if currentName.map({ !name.elementsEqual($0.bytes) }) ?? true {
                    close()
                    currentName = ByteString(Array(name))
                    current = ValueTable()
                }
                if current.count % valueStride == 0 { current.offsets.append(start) }
                current.count += 1
                current.end = range.lowerBound + cursor.offset
            }
            close()
            return true
        }
        guard sound == true else { throw corrupt(file, offset, "postings table is damaged") }
        return (names, tables, allOffset)
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

    private func readSeries(
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

    // MARK: Postings

    private func list(at offset: Int) throws(StoreError) -> Postings {
        guard offset >= contents.postings else { throw Self.corrupt(file, offset, "no postings there") }
        let range = try Self.section(file, offset, "postings")
        guard let count: UInt32 = file.bigEndian(at: range.lowerBound), Int(count) * 4 + 4 == range.count else {
            throw Self.corrupt(file, offset, "unexpected postings length")
        }
        return Postings(file, (range.lowerBound + 4)..<range.upperBound)
    }

    /// Calls `body` with the values of `name` from the first that is not below `start` on, and the offsets of their
    /// lists, until it returns false.
    private func scan(
        _ name: ByteString, from start: ByteString, _ body: (UnsafeRawBufferPointer, Int) -> Bool
    ) throws(StoreError) {
        guard let table = tables[name], let firstOffset = table.offsets.first else { return }
        let sound = file.withUnsafeBytes { bytes -> Bool in
            func value(_ cursor: inout WireCursor) -> UnsafeRawBufferPointer {
                _ = cursor.byte()
                _ = cursor.text()
                return cursor.text()
            }
            // The last sampled entry that is not above the start.
            var low = 0
            var high = table.offsets.count
            while high - low > 1 {
                let middle = (low + high) / 2
                var cursor = WireCursor(UnsafeRawBufferPointer(rebasing: bytes[table.offsets[middle]..<table.end]))
                if ByteOrder.compare(value(&cursor), start.bytes) <= 0 { low = middle } else { high = middle }
            }
            let begin = start.isEmpty ? firstOffset : table.offsets[low]
            var cursor = WireCursor(UnsafeRawBufferPointer(rebasing: bytes[begin..<table.end]))
            while cursor.hasMore {
                let text = value(&cursor)
                let offset = cursor.uvarint()
                guard !cursor.isBad, offset <= UInt64(file.count) else { return false }
                if !start.isEmpty, ByteOrder.compare(text, start.bytes) < 0 { continue }
                if !body(text, Int(offset)) { return true }
            }
            return !cursor.isBad
        }
        guard sound else { throw Self.corrupt(file, contents.postingsTable, "postings table is damaged") }
    }
}

extension IndexReader: PostingsSource {
    package func allPostings() throws(StoreError) -> Postings {
        guard let allOffset else { return .empty }
        return try list(at: allOffset)
    }

    package func postings(_ name: ByteString, _ value: ByteString) throws(StoreError) -> Postings {
        guard let offset = try listOffset(name, value) else { return .empty }
        return try list(at: offset)
    }

    /// How many series have label `name` with `value`, without a look at the list itself.
    func postingsCount(_ name: ByteString, _ value: ByteString) throws(StoreError) -> Int {
        guard let offset = try listOffset(name, value), let count: UInt32 = file.bigEndian(at: offset + 4) else {
            return 0
        }
        return Int(count)
    }

    /// Number of label names.
    var labelNameCount: Int { names.count }

    private func listOffset(_ name: ByteString, _ value: ByteString) throws(StoreError) -> Int? {
        var found: Int?
        try scan(name, from: value) { text, offset in
            if ByteOrder.compare(text, value.bytes) == 0 { found = offset }
            return false
        }
        return found
    }

    package func postings(
        _ name: ByteString, prefix: ByteString, where isIncluded: (UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) -> [Postings] {
        var offsets: [Int] = []
        try scan(name, from: prefix) { text, offset in
            guard text.starts(with: prefix.bytes) else { return false }
            if isIncluded(text) { offsets.append(offset) }
            return true
        }
        var result: [Postings] = []
        result.reserveCapacity(offsets.count)
        for offset in offsets { result.append(try list(at: offset)) }
        return result
    }

    package func values(
        of name: ByteString, prefix: ByteString, where isIncluded: (UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) -> [ByteString] {
        var result: [ByteString] = []
        try scan(name, from: prefix) { text, _ in
            guard text.starts(with: prefix.bytes) else { return false }
            if isIncluded(text) { result.append(ByteString(Array(text))) }
            return true
        }
        return result
    }

    package func values(of name: ByteString) throws(StoreError) -> [ByteString] {
        try remembered.values(of: name) { () throws(StoreError) in try values(of: name, prefix: "") { _ in true } }
    }

    package func valueCount(of name: ByteString) -> Int { tables[name]?.count ?? 0 }

    package func labelNames() throws(StoreError) -> [ByteString] { names }

    package func labels(of series: UInt32) throws(StoreError) -> Labels? {
        try readSeries(series) { _ in true }
    }
}

/// Byte-wise order of lent texts.
enum ByteOrder {
    /// Negative, zero or positive.
    static func compare(_ left: UnsafeRawBufferPointer, _ right: [UInt8]) -> Int {
        let shorter = min(left.count, right.count)
        var index = 0
        while index < shorter {
            if left[index] != right[index] { return left[index] < right[index] ? -1 : 1 }
            index += 1
        }
        return left.count - right.count
    }
}
