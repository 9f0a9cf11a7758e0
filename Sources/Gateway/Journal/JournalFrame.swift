internal import ByteCoding

/// A frame: effects that became durable together, under one checksum.
///
/// | bytes | what, little-endian |
/// |---|---|
/// | 4 | ``StoreLayout/frameMagic`` |
/// | 4 | length of the payload |
/// | 8 | sequence number: one more than the frame before, also across segments |
/// | 4 | CRC-32C of the payload |
/// | 4 | CRC-32C of the 20 bytes before |
/// | … | payload: each effect with its length before it |
///
/// Both checksums start from the file's salt, a random number: bytes that somebody pushed, or that are left from
/// another file, never look like a frame.
enum JournalFrame {
    /// Effects that gather for a frame, behind the place where its header will stand.
    struct Draft: Sendable {
        fileprivate(set) var bytes = [UInt8](repeating: 0, count: StoreLayout.frameHeaderSize)

        /// Whether there are no effects.
        var isEmpty: Bool { bytes.count == StoreLayout.frameHeaderSize }

        /// Bytes of the effects.
        var count: Int { bytes.count - StoreLayout.frameHeaderSize }

        mutating func append(_ effect: [UInt8]) {
            Varint.append(UInt64(effect.count), to: &bytes)
            bytes.append(contentsOf: effect)
        }

        /// Adds the effects of another draft.
        mutating func append(_ other: Draft) { bytes.append(contentsOf: other.bytes[StoreLayout.frameHeaderSize...]) }

        /// Begins anew; the memory is kept if it is not much.
        mutating func removeAll() {
            if bytes.capacity > 4 << 20 {
                self = Draft()
            } else {
                bytes.removeSubrange(StoreLayout.frameHeaderSize...)
            }
        }

        /// Writes the header: the bytes are a frame then.
        mutating func seal(sequence: UInt64, salt: UInt32) {
            let checksum = CRC32C.checksum(bytes[StoreLayout.frameHeaderSize...], seed: salt)
            var header: [UInt8] = []
            header.reserveCapacity(StoreLayout.frameHeaderSize)
            JournalFrame.append(StoreLayout.frameMagic, to: &header)
            JournalFrame.append(UInt32(truncatingIfNeeded: count), to: &header)
            JournalFrame.append(sequence, to: &header)
            JournalFrame.append(checksum, to: &header)
            JournalFrame.append(CRC32C.checksum(header, seed: salt), to: &header)
            bytes.replaceSubrange(..<StoreLayout.frameHeaderSize, with: header)
        }
    }

    /// The header of a snapshot or a segment: magic, version, a number, the salt, a checksum.
    static func fileHeader(_ magic: [UInt8], number: UInt64, salt: UInt32) -> [UInt8] {
        var header = magic
        append(StoreLayout.version, to: &header)
        append(number, to: &header)
        append(salt, to: &header)
        append(CRC32C.checksum(header), to: &header)
        return header
    }

    /// What a header says.
    enum FileHeader: Equatable {
        case valid(number: UInt64, salt: UInt32)
        /// Written by a newer version, which this one cannot read.
        case unsupported(version: UInt32)
        case damaged
    }

    /// Reads what ``fileHeader(_:number:)`` made.
    static func fileHeader(of bytes: [UInt8], _ magic: [UInt8]) -> FileHeader {
        guard bytes.count >= StoreLayout.fileHeaderSize, bytes.starts(with: magic),
            number(bytes, at: 24, as: UInt32.self) == CRC32C.checksum(bytes[..<24])
        else { return .damaged }
        let version = number(bytes, at: 8, as: UInt32.self)
        guard version <= StoreLayout.version else { return .unsupported(version: version) }
        return .valid(number: number(bytes, at: 12, as: UInt64.self), salt: number(bytes, at: 20, as: UInt32.self))
    }

    private static func append(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A number within `bytes`, which must hold it.
    static func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: [UInt8], at offset: Int, as type: Number.Type
    ) -> Number {
        precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= bytes.count)
        // SAFETY: the range was just checked.
        return Number(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Number.self) })
    }
}

/// Reads frames one after the other, and finds the next intact one behind damaged bytes.
struct FrameReader {
    struct Frame {
        let sequence: UInt64
        /// Where the frame starts and ends in the file.
        let range: Range<Int>
        let effects: [Effect]
    }

    enum Step {
        case frame(Frame)
        /// Bytes that are no frame. `isFollowed` by an intact frame: then they were durable once and were damaged
        /// later; else they are most likely the last write before a crash.
        case damage(Range<Int>, isFollowed: Bool)
        case end
    }

    let bytes: [UInt8]
    private let salt: UInt32
    private var position: Int
    /// Where the zeros begin that a segment ends with.
    private let end: Int

    init(_ bytes: [UInt8], from position: Int, salt: UInt32) {
        self.bytes = bytes
        self.position = position
        self.salt = salt
        end = max(position, (bytes.lastIndex { $0 != 0 } ?? -1) + 1)
    }

    /// The next frame, damage or end.
    /// - Complexity: O(bytes passed).
    mutating func next() -> Step {
        // A frame may itself end with zeros.
        guard position < end else { return .end }
        if let frame = frame(at: position) {
            position = frame.range.upperBound
            return .frame(frame)
        }
        let start = position
        var candidate = start + 1
        while candidate + StoreLayout.frameHeaderSize <= bytes.count {
            if header(at: candidate) != nil, frame(at: candidate) != nil {
                position = candidate
                return .damage(start..<candidate, isFollowed: true)
            }
            candidate += 1
        }
        position = bytes.count
        return .damage(start..<end, isFollowed: false)
    }

    private func header(at offset: Int) -> (length: Int, sequence: UInt64, checksum: UInt32)? {
        guard bytes.count - offset >= StoreLayout.frameHeaderSize,
            JournalFrame.number(bytes, at: offset, as: UInt32.self) == StoreLayout.frameMagic
        else { return nil }
        let checksum = CRC32C.checksum(bytes[offset..<(offset + 20)], seed: salt)
        guard JournalFrame.number(bytes, at: offset + 20, as: UInt32.self) == checksum else { return nil }
        let length = Int(JournalFrame.number(bytes, at: offset + 4, as: UInt32.self))
        guard length <= StoreLayout.maximumFrame, length <= bytes.count - offset - StoreLayout.frameHeaderSize else {
            return nil
        }
        return (
            length, JournalFrame.number(bytes, at: offset + 8, as: UInt64.self),
            JournalFrame.number(bytes, at: offset + 16, as: UInt32.self)
        )
    }

    private func frame(at offset: Int) -> Frame? {
        guard let header = header(at: offset) else { return nil }
        let start = offset + StoreLayout.frameHeaderSize
        let payload = bytes[start..<(start + header.length)]
        guard CRC32C.checksum(payload, seed: salt) == header.checksum else { return nil }
        var reader = PackedReader(bytes, at: start, end: payload.endIndex)
        var effects: [Effect] = []
        do throws(MalformedBytes) {
            while !reader.isAtEnd { effects.append(try Effect(Array(bytes[try reader.textRange()]))) }
        } catch {
            return nil
        }
        return Frame(sequence: header.sequence, range: offset..<payload.endIndex, effects: effects)
    }
}
