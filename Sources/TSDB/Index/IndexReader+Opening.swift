internal import ByteCoding
internal import DurableFiles
internal import MetricModel

/// What is read and checked when an index is opened: the table of contents, the symbols, the table of postings.
extension IndexReader {
    static func corrupt(_ file: MappedFile, _ offset: Int, _ reason: String) -> StoreError {
        .corrupt(path: file.path, offset: Int64(offset), reason: reason)
    }

    static func readContents(_ file: MappedFile) throws(StoreError) -> IndexFormat.TableOfContents {
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
    static func section(
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

    static func readSymbols(
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

    static func readPostingsTable(
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
}
