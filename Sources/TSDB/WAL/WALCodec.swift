internal import Compression

/// Compresses and decompresses records of the log.
struct WALCodec: ~Copyable {
    private var packed = WireBuffer(capacity: 4096)

    /// Calls `body` with `record` in compressed form and the flag for the fragment header; as it is where that is
    /// not smaller, as upstream does.
    mutating func compress<Result>(
        _ record: UnsafeRawBufferPointer, _ kind: WALCompression,
        _ body: (UnsafeRawBufferPointer, UInt8) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        packed.removeAll()
        switch kind {
        case .none:
            return try body(record, 0)
        case .snappy:
            packed.fill(SnappyBlock.maximumCompressedSize(record.count)) { SnappyBlock.compress(record, into: $0) }
            guard packed.count > 0, packed.count < record.count else { return try body(record, 0) }
            return try body(packed.bytes, WALFormat.snappyFlag)
        case .zstd:
            packed.fill(ZstdFrame.maximumCompressedSize(record.count)) { ZstdFrame.compress(record, into: $0) }
            guard packed.count > 0, packed.count < record.count else { return try body(record, 0) }
            return try body(packed.bytes, WALFormat.zstdFlag)
        }
    }
}
