internal import ByteCoding
internal import DurableFiles
package import MetricModel

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

// MARK: The table of postings

extension IndexReader {
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
