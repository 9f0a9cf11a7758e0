internal import ByteCoding
internal import Compression

/// Finds the records of one segment, and goes on behind damage: a record is lost only if its own bytes are.
final class WALScanner {
    /// Bytes that are no record.
    struct Damage {
        var offset: Int
        var reason: String
        /// Whether the segment just ends within a record, as after a crash.
        var isTornTail = false
    }

    /// What a scan found.
    struct Outcome {
        var records = 0
        var damages: [Damage] = []
        /// Where the last complete record ends.
        var endOfRecords = 0
    }

    /// The longest record that is read, in bytes: far above what a batch of any limit makes.
    static let maximumRecord = 1 << 30
    /// Bytes that may be checked in one page when looking for where records go on.
    private static let searchBudget = 4 << 20

    private var assembly = WireBuffer(capacity: WALFormat.pageSize)
    private var unpacked = WireBuffer(capacity: WALFormat.pageSize)

    init() {}

    /// A fragment whose checksum is right.
    private struct Piece {
        var kind: WALFormat.Fragment
        var flags: UInt8
        var body: Range<Int>
    }

    private enum Found {
        case piece(Piece)
        case pageEnd
        case bad(String)
        case torn
    }

    /// Calls `body` with each record, in order, and where it starts. The bytes are lent for the call.
    /// - Parameter first: Where to begin: the start of a page, or the end of a record.
    func scan(
        _ bytes: UnsafeRawBufferPointer, from first: Int = 0, _ body: (UnsafeRawBufferPointer, Int) -> Void
    ) -> Outcome {
        var outcome = Outcome(endOfRecords: first)
        var offset = first
        /// Where the record that is being assembled starts; nil between records.
        var start: Int?
        /// Whether the pieces of a record whose start is damaged may follow.
        var isBehindDamage = false
        while offset < bytes.count {
            switch look(bytes, at: offset) {
            case .pageEnd:
                offset = WALScanner.pageEnd(offset)
            case .torn:
                outcome.damages.append(
                    Damage(offset: start ?? offset, reason: "last record is torn", isTornTail: true))
                return outcome
            case .bad(let reason):
                outcome.damages.append(Damage(offset: offset, reason: reason))
                start = nil
                isBehindDamage = true
                offset = resume(bytes, behind: offset)
            case .piece(let piece):
                let pieceStart = offset
                offset = piece.body.upperBound
                if piece.kind == .first || piece.kind == .full {
                    if let torn = start {
                        outcome.damages.append(Damage(offset: torn, reason: "record without its end"))
                    }
                    start = pieceStart
                    assembly.removeAll()
                } else if start == nil {
                    if !isBehindDamage {
                        outcome.damages.append(Damage(offset: pieceStart, reason: "record without its start"))
                    }
                    isBehindDamage = piece.kind != .last
                    continue
                }
                isBehindDamage = false
                guard let recordStart = start else { continue }
                if let failure = take(piece, bytes, recordStart, body, &outcome) {
                    outcome.damages.append(Damage(offset: recordStart, reason: failure))
                    isBehindDamage = piece.kind == .first || piece.kind == .middle
                    start = nil
                } else if piece.kind == .full || piece.kind == .last {
                    start = nil
                    outcome.endOfRecords = offset
                }
            }
        }
        if let start {
            outcome.damages.append(Damage(offset: start, reason: "last record is torn", isTornTail: true))
        }
        return outcome
    }

    /// Adds a piece to the record, and hands the record out if it is complete.
    /// - Returns: why the record cannot be read, or nil.
    private func take(
        _ piece: Piece, _ bytes: UnsafeRawBufferPointer, _ recordStart: Int,
        _ body: (UnsafeRawBufferPointer, Int) -> Void, _ outcome: inout Outcome
    ) -> String? {
        let slice = UnsafeRawBufferPointer(rebasing: bytes[piece.body])
        if piece.kind != .full {
            guard assembly.count + slice.count <= WALScanner.maximumRecord else { return "record is too long" }
            assembly.put(slice)
        }
        guard piece.kind == .full || piece.kind == .last else { return nil }
        let packed = piece.kind == .full ? slice : assembly.bytes
        if piece.flags & WALFormat.snappyFlag != 0 {
            guard let size = SnappyBlock.uncompressedSize(packed), size <= WALScanner.maximumRecord,
                unpack(size, { SnappyBlock.decompress(packed, into: $0) })
            else { return "snappy: corrupt input" }
            outcome.records += 1
            body(unpacked.bytes, recordStart)
        } else if piece.flags & WALFormat.zstdFlag != 0 {
            guard let size = ZstdFrame.uncompressedSize(packed), size <= WALScanner.maximumRecord,
                unpack(size, { ZstdFrame.decompress(packed, into: $0) })
            else { return "zstd: corrupt input" }
            outcome.records += 1
            body(unpacked.bytes, recordStart)
        } else {
            outcome.records += 1
            body(packed, recordStart)
        }
        return nil
    }

    private func unpack(_ size: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int?) -> Bool {
        unpacked.removeAll()
        var isGood = false
        unpacked.fill(size) { target in
            guard let written = body(target) else { return 0 }
            isGood = written == size
            return written
        }
        return isGood
    }

    private static func pageEnd(_ offset: Int) -> Int { (offset / WALFormat.pageSize + 1) * WALFormat.pageSize }

    /// What stands at `offset`.
    private func look(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Found {
        let pageEnd = WALScanner.pageEnd(offset)
        let first = bytes[offset]
        guard let kind = WALFormat.Fragment(rawValue: first & WALFormat.kindMask), first & 0b1110_0000 == 0 else {
            return .bad("invalid record type in header \(first)")
        }
        if kind == .pageEnd {
            let rest = bytes[offset..<min(pageEnd, bytes.count)]
            return rest.allSatisfy({ $0 == 0 }) ? .pageEnd : .bad("unexpected non-zero byte in padded page")
        }
        let bodyStart = offset + WALFormat.headerSize
        guard bodyStart <= pageEnd else { return .bad("record header beyond the end of its page") }
        guard bodyStart <= bytes.count else { return .torn }
        let length = Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2])
        guard bodyStart + length <= pageEnd else { return .bad("invalid record size \(length)") }
        guard bodyStart + length <= bytes.count else { return .torn }
        // SAFETY: the header, of which these are the last four bytes, ends at `bodyStart`.
        let expected = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 3, as: UInt32.self))
        let body = bodyStart..<(bodyStart + length)
        let found = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[body]))
        guard found == expected else {
            return .bad(
                "unexpected checksum \(String(found, radix: 16)), expected \(String(expected, radix: 16))")
        }
        return .piece(Piece(kind: kind, flags: first, body: body))
    }

    /// Where the next good fragment starts behind damage at `offset`: in the same page if there is one, else the next
    /// page, where a fragment always starts.
    private func resume(_ bytes: UnsafeRawBufferPointer, behind offset: Int) -> Int {
        let end = min(WALScanner.pageEnd(offset), bytes.count)
        var budget = WALScanner.searchBudget
        var candidate = offset + 1
        while candidate + WALFormat.headerSize < end && budget > 0 {
            let first = bytes[candidate]
            let kind = first & WALFormat.kindMask
            if first & 0b1110_0000 == 0, kind >= 1, kind <= 4 {
                let length = Int(bytes[candidate + 1]) << 8 | Int(bytes[candidate + 2])
                // An empty fragment would be found in any run of zeros.
                if length > 0, candidate + WALFormat.headerSize + length <= end {
                    budget -= length
                    if case .piece = look(bytes, at: candidate) { return candidate }
                }
            }
            candidate += 1
        }
        return WALScanner.pageEnd(offset)
    }
}
