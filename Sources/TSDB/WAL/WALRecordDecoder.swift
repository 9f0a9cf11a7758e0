internal import MetricModel

/// Reads all types of records that Prometheus 3.14 writes. Total: any bytes give rows or an error, never a trap, and
/// memory in proportion to the bytes.
enum WALRecordDecoder {
    /// The kind of a record; an unknown number is an error that names it.
    static func kind(_ record: UnsafeRawBufferPointer) throws(WALRecordError) -> WALRecordKind {
        guard let number = record.first else { throw WALRecordError(reason: "empty record") }
        guard let kind = WALRecordKind(rawValue: number) else {
            throw WALRecordError(reason: "unknown record type \(number)")
        }
        return kind
    }

    static func series(
        _ record: UnsafeRawBufferPointer, _ body: (UInt64, Labels) -> Void
    ) throws(WALRecordError) {
        var cursor = WireCursor(record)
        _ = cursor.byte()
        while cursor.hasMore {
            let reference = cursor.bigEndian64()
            let labels = try labels(&cursor)
            if !cursor.isBad { body(reference, labels) }
        }
        try finish(cursor, "series")
    }

    /// Label sets in records are sorted; others are put in order, as a set that is not would never be found.
    static func labels(_ cursor: inout WireCursor) throws(WALRecordError) -> Labels {
        let number = cursor.count(minimumSize: 2)
        let start = cursor
        var isPlain = true
        var packedCount = 0
        var previous = UnsafeRawBufferPointer(start: nil, count: 0)
        for _ in 0..<number {
            let name = cursor.text()
            let value = cursor.text()
            if cursor.isBad { throw WALRecordError(reason: "labels end early") }
            guard name.count <= Labels.maximumLength, value.count <= Labels.maximumLength else {
                throw WALRecordError(reason: "label of more than 16 MiB")
            }
            // Lengths of one byte are the same in a record and in a packed set.
            isPlain =
                isPlain && name.count < 0x80 && value.count < 0x80 && !value.isEmpty
                && previous.lexicographicallyPrecedes(name)
            previous = name
            packedCount += name.count + value.count + 2
        }
        // A length may also be written longer than it needs to be.
        let bytes = start.bytes(upTo: cursor)
        if isPlain && packedCount == bytes.count { return Labels(assumingPacked: [UInt8](bytes)) }
        return sortedLabels(start, number)
    }

    private static func sortedLabels(_ start: WireCursor, _ number: Int) -> Labels {
        var cursor = start
        var pairs: [(name: ByteString, value: ByteString)] = []
        pairs.reserveCapacity(number)
        for _ in 0..<number { pairs.append((ByteString(Array(cursor.text())), ByteString(Array(cursor.text())))) }
        return Labels(pairs)
    }

    /// Calls `body` with each number of a record of samples, of the first or second form.
    static func samples(
        _ record: UnsafeRawBufferPointer, _ body: (WALRow.Sample) -> Void
    ) throws(WALRecordError) {
        var cursor = WireCursor(record)
        let kind = cursor.byte()
        guard cursor.hasMore else { return }
        if kind == WALRecordKind.samples.rawValue {
            let reference = cursor.bigEndian64()
            let time = Int64(bitPattern: cursor.bigEndian64())
            while cursor.hasMore {
                let row = WALRow.Sample(
                    reference: reference &+ UInt64(bitPattern: cursor.varint()), timestamp: time &+ cursor.varint(),
                    value: cursor.double())
                if !cursor.isBad { body(row) }
            }
        } else {
            var rows = StartedRows()
            while cursor.hasMore {
                rows.next(&cursor)
                let value = cursor.double()
                if !cursor.isBad {
                    body(
                        WALRow.Sample(
                            reference: rows.reference, timestamp: rows.timestamp, value: value, start: rows.start))
                }
            }
        }
        try finish(cursor, "samples")
    }

    /// Calls `body` with each histogram of a record of any of the six kinds. Histograms of an unknown schema are
    /// counted instead, as upstream leaves them out.
    /// - Returns: how many were left out.
    static func histograms(
        _ record: UnsafeRawBufferPointer, _ kind: WALRecordKind, _ body: (WALRow.Histogram) -> Void
    ) throws(WALRecordError) -> Int {
        var cursor = WireCursor(record)
        _ = cursor.byte()
        guard cursor.hasMore else { return 0 }
        var skipped = 0
        let isFloat =
            kind == .floatHistograms || kind == .customBucketFloatHistograms || kind == .floatHistogramsV2
        let isStarted = kind == .histogramsV2 || kind == .floatHistogramsV2
        var reference: UInt64 = 0
        var time: Timestamp = 0
        var rows = StartedRows()
        if !isStarted {
            reference = cursor.bigEndian64()
            time = Int64(bitPattern: cursor.bigEndian64())
        }
        while cursor.hasMore {
            if isStarted {
                rows.next(&cursor)
            } else {
                rows.reference = reference &+ UInt64(bitPattern: cursor.varint())
                rows.timestamp = time &+ cursor.varint()
            }
            let histogram = isFloat ? floatHistogram(&cursor) : integerHistogram(&cursor)
            if cursor.isBad { break }
            guard let histogram else {
                skipped += 1
                continue
            }
            body(
                WALRow.Histogram(
                    reference: rows.reference, timestamp: rows.timestamp, histogram: histogram, start: rows.start))
        }
        try finish(cursor, "histograms")
        return skipped
    }

    /// The rows of records of the second form: each relative to the one before.
    private struct StartedRows {
        var reference: UInt64 = 0
        var timestamp: Timestamp = 0
        var start: Timestamp = 0
        private var firstTimestamp: Timestamp = 0
        private var firstStart: Timestamp = 0
        private var isFirst = true

        mutating func next(_ cursor: inout WireCursor) {
            if isFirst {
                isFirst = false
                reference = UInt64(bitPattern: cursor.varint())
                firstTimestamp = cursor.varint()
                firstStart = cursor.varint()
                timestamp = firstTimestamp
                start = firstStart
                return
            }
            reference = reference &+ UInt64(bitPattern: cursor.varint())
            timestamp = firstTimestamp &+ cursor.varint()
            switch cursor.byte() {
            case 0: start = 0
            case 1: break
            default: start = firstStart &+ cursor.varint()
            }
        }
    }

    static func tombstones(_ record: UnsafeRawBufferPointer) throws(WALRecordError) -> [WALRow.Tombstone] {
        var cursor = WireCursor(record)
        _ = cursor.byte()
        var rows: [WALRow.Tombstone] = []
        while cursor.hasMore {
            let row = WALRow.Tombstone(
                reference: cursor.bigEndian64(), minimumTime: cursor.varint(), maximumTime: cursor.varint())
            if !cursor.isBad { rows.append(row) }
        }
        try finish(cursor, "tombstones")
        return rows
    }

    /// - Parameter skippingKind: Whether the first byte is the record's kind.
    static func exemplars(
        _ record: UnsafeRawBufferPointer, skippingKind: Bool = true
    ) throws(WALRecordError) -> [WALRow.Exemplar] {
        var cursor = WireCursor(record)
        if skippingKind { _ = cursor.byte() }
        guard cursor.hasMore else { return [] }
        let reference = cursor.bigEndian64()
        let time = Int64(bitPattern: cursor.bigEndian64())
        var rows: [WALRow.Exemplar] = []
        while cursor.hasMore {
            let rowReference = reference &+ UInt64(bitPattern: cursor.varint())
            let timestamp = time &+ cursor.varint()
            let value = cursor.double()
            let labels = try labels(&cursor)
            if cursor.isBad { break }
            rows.append(
                WALRow.Exemplar(reference: rowReference, timestamp: timestamp, value: value, labels: labels))
        }
        try finish(cursor, "exemplars")
        return rows
    }

    static func chunkMarkers(_ record: UnsafeRawBufferPointer) throws(WALRecordError) -> [WALRow.ChunkMarker] {
        var cursor = WireCursor(record)
        _ = cursor.byte()
        var rows: [WALRow.ChunkMarker] = []
        while cursor.hasMore {
            let row = WALRow.ChunkMarker(reference: cursor.bigEndian64(), chunk: cursor.bigEndian64())
            if !cursor.isBad { rows.append(row) }
        }
        try finish(cursor, "mmap markers")
        return rows
    }

    static func metadata(_ record: UnsafeRawBufferPointer) throws(WALRecordError) -> [WALRow.Metadata] {
        var cursor = WireCursor(record)
        _ = cursor.byte()
        var rows: [WALRow.Metadata] = []
        while cursor.hasMore {
            let reference = cursor.uvarint()
            var metadata = MetricMetadata(type: MetricType(walNumber: cursor.byte()))
            for _ in 0..<cursor.count(minimumSize: 2) {
                let name = cursor.text()
                let value = cursor.text()
                if name.elementsEqual("UNIT".utf8) { metadata.unit = ByteString(Array(value)) }
                if name.elementsEqual("HELP".utf8) { metadata.help = ByteString(Array(value)) }
            }
            if !cursor.isBad { rows.append(WALRow.Metadata(reference: reference, metadata: metadata)) }
        }
        try finish(cursor, "metadata")
        return rows
    }

    private static func finish(_ cursor: WireCursor, _ what: String) throws(WALRecordError) {
        if cursor.isBad { throw WALRecordError(reason: "record of \(what) ends early or holds a bad number") }
    }
}
