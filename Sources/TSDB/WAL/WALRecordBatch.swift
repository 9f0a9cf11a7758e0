internal import ByteCoding

/// Records that go to the log together: encoded, compressed, ready to be cut into fragments.
///
/// Reused from commit to commit by whoever writes.
struct WALRecordBatch: ~Copyable {
    /// Where the next record is encoded.
    var record = WireBuffer(capacity: 16 * 1024)
    private var payload = WireBuffer(capacity: 16 * 1024)
    private var codec = WALCodec()
    private var ends: [(end: Int, flag: UInt8)] = []

    /// Whether there are no records.
    var isEmpty: Bool { ends.isEmpty }

    /// Bytes of the records, without fragment headers.
    var byteCount: Int { payload.count }

    /// Takes what is in ``record``, if it is more than a kind, as the next record.
    mutating func finishRecord(_ compression: WALCompression) throws(StoreError) {
        guard record.count > 1 else { return record.removeAll() }
        let flag = try codec.compress(record.bytes, compression) { (bytes, flag) throws(StoreError) in
            payload.put(bytes)
            return flag
        }
        ends.append((payload.count, flag))
        record.removeAll()
    }

    /// Forgets the records, keeps a moderate amount of memory.
    mutating func removeAll() {
        record.removeAll()
        payload.removeAll()
        ends.removeAll(keepingCapacity: true)
        record.shrink(to: 4 << 20)
        payload.shrink(to: 4 << 20)
    }

    /// An upper bound of the bytes that the records take in a segment whose current page has `pageUsed` bytes.
    func sizeBound(pageUsed: Int) -> Int {
        let body = WALFormat.pageSize - WALFormat.headerSize
        // A header a record, one more for each page begun, and the rest of the pages.
        let pages = (payload.count + ends.count * WALFormat.headerSize) / body + 2
        return payload.count + (ends.count + pages) * WALFormat.headerSize * 2
    }

    /// Cuts the records into fragments and appends them to `output`.
    /// - Parameter pageUsed: Bytes used of the current page; brought up to date.
    func appendFragments(to output: inout WireBuffer, pageUsed: inout Int) {
        var start = 0
        for (end, flag) in ends {
            WALRecordBatch.appendFragments(
                UnsafeRawBufferPointer(rebasing: payload.bytes[start..<end]), flag, to: &output, pageUsed: &pageUsed)
            start = end
        }
    }

    private static func appendFragments(
        _ record: UnsafeRawBufferPointer, _ flag: UInt8, to output: inout WireBuffer, pageUsed: inout Int
    ) {
        var done = 0
        // Told apart from `done`: where just a header fits into the page, the first fragment is empty.
        var isFirst = true
        repeat {
            if WALFormat.pageSize - pageUsed < WALFormat.headerSize {
                output.put(zeros: WALFormat.pageSize - pageUsed)
                pageUsed = 0
            }
            let length = min(record.count - done, WALFormat.pageSize - pageUsed - WALFormat.headerSize)
            let part = UnsafeRawBufferPointer(rebasing: record[done..<(done + length)])
            let isLast = done + length == record.count
            let kind: WALFormat.Fragment =
                switch (isFirst, isLast) {
                case (true, true): .full
                case (true, false): .first
                case (false, true): .last
                case (false, false): .middle
                }
            output.put(kind.rawValue | flag)
            output.put(UInt8(truncatingIfNeeded: length >> 8))
            output.put(UInt8(truncatingIfNeeded: length))
            output.put(bigEndian32: CRC32C.checksum(part))
            output.put(part)
            pageUsed += WALFormat.headerSize + length
            if WALFormat.pageSize - pageUsed < WALFormat.headerSize {
                output.put(zeros: WALFormat.pageSize - pageUsed)
                pageUsed = 0
            }
            done += length
            isFirst = false
        } while done < record.count
    }
}
