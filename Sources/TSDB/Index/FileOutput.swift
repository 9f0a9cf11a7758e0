internal import ByteCoding
internal import DurableFiles

/// A new file that is written from start to end, in large writes.
final class FileOutput {
    private let file: any File
    private var buffer = WireBuffer(capacity: 256 << 10)
    /// Bytes handed to the file.
    private var flushed: Int64 = 0
    /// The checksum of what was put since ``beginChecksum()``, up to what was flushed.
    private var checksum: UInt32 = 0
    /// Where in the buffer the part begins that is not in ``checksum`` yet.
    private var checksumStart = 0

    private static let flushSize = 192 << 10

    /// Creates `path`, or empties it.
    init(_ path: String, on fileSystem: any FileSystem) throws(StoreError) {
        do { file = try fileSystem.open(path, .truncate) } catch { throw .file(error) }
    }

    /// Offset of the next byte.
    var position: Int { Int(flushed) + buffer.count }

    func put(_ byte: UInt8) { buffer.put(byte) }
    func put(bigEndian32 value: UInt32) { buffer.put(bigEndian32: value) }
    func put(bigEndian value: UInt64) { buffer.put(bigEndian: value) }
    func put(uvarint value: UInt64) { buffer.put(uvarint: value) }
    func put(varint value: Int64) { buffer.put(varint: value) }
    func put(_ bytes: UnsafeRawBufferPointer) { buffer.put(bytes) }
    func put(text: ArraySlice<UInt8>) {
        buffer.put(uvarint: UInt64(text.count))
        text.withUnsafeBytes { buffer.put($0) }
    }

    /// Zeros up to a multiple of `alignment`.
    func align(_ alignment: Int) {
        let over = position % alignment
        if over > 0 { buffer.put(zeros: alignment - over) }
    }

    /// Starts a checksum over what follows.
    func beginChecksum() {
        checksum = 0
        checksumStart = buffer.count
    }

    /// Puts the checksum of what was put since ``beginChecksum()``.
    func putChecksum() {
        updateChecksum()
        buffer.put(bigEndian32: checksum)
    }

    private func updateChecksum() {
        guard checksumStart < buffer.count else { return }
        checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: buffer.bytes[checksumStart...]), seed: checksum)
        checksumStart = buffer.count
    }

    /// Writes the buffer out once it is large.
    func flushIfLarge() throws(StoreError) { if buffer.count >= Self.flushSize { try flush() } }

    /// Writes the buffer out.
    func flush() throws(StoreError) {
        updateChecksum()
        do { try file.write(buffer.bytes, at: flushed) } catch { throw .file(error) }
        flushed += Int64(buffer.count)
        buffer.removeAll()
        checksumStart = 0
    }

    /// Replaces a number that was put as 0 before its value was known.
    func patch(bigEndian32 value: UInt32, at offset: Int) throws(StoreError) {
        try flush()
        var number = WireBuffer(capacity: 64)
        number.put(bigEndian32: value)
        do { try file.write(number.bytes, at: Int64(offset)) } catch { throw .file(error) }
    }

    /// Writes all, syncs and closes.
    func finish() throws(StoreError) {
        try flush()
        do {
            try file.sync(.all)
            try file.close()
        } catch { throw .file(error) }
    }

    /// Closes without a sync, after an error.
    func abandon() { try? file.close() }
}
