#if canImport(Glibc)
internal import Glibc
#endif

/// The content of a file as memory, for reading. Accesses are checked against the size at the time of mapping.
///
/// A file that is cut while it is mapped makes reads beyond its new end fatal (SIGBUS): map only files that are
/// complete and will never be truncated; removing them is fine.
package final class MappedFile: Sendable {
    /// As given when it was mapped.
    package let path: String
    // SAFETY: the memory is written before `init` returns and never after; it is released in `deinit` only.
    private nonisolated(unsafe) let memory: UnsafeRawBufferPointer
    private let isMapping: Bool

    /// Takes ownership of a mapping made by `mmap`.
    init(path: String, mapping: UnsafeRawBufferPointer) {
        self.path = path
        self.memory = mapping
        self.isMapping = true
    }

    /// Holds a copy of `bytes`, for file systems that cannot map.
    package init(path: String, copying bytes: [UInt8]) {
        self.path = path
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        copy.copyBytes(from: bytes)
        self.memory = UnsafeRawBufferPointer(copy)
        self.isMapping = false
    }

    deinit {
        guard isMapping else { return memory.deallocate() }
        if let base = memory.baseAddress, memory.count > 0 {
            munmap(UnsafeMutableRawPointer(mutating: base), memory.count)
        }
    }

    /// Bytes.
    package var count: Int { memory.count }

    /// Lends the bytes of `range`; the buffer must not be kept.
    /// - Returns: nil if the range does not lie within the file.
    package func withUnsafeBytes<Result>(
        in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result? {
        guard range.lowerBound >= 0, range.upperBound <= memory.count else { return nil }
        return try body(UnsafeRawBufferPointer(rebasing: memory[range]))
    }

    /// Lends all bytes; the buffer must not be kept.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(memory)
    }

    /// A copy of the bytes of `range`; nil if it does not lie within the file.
    package func bytes(in range: Range<Int>) -> [UInt8]? { withUnsafeBytes(in: range) { Array($0) } }

    /// The byte at `offset`, or nil beyond the end.
    package subscript(offset: Int) -> UInt8? {
        offset >= 0 && offset < memory.count ? memory[offset] : nil
    }

    /// A big-endian number at `offset`, or nil if it does not lie within the file.
    package func bigEndian<Number: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: Number.Type = Number.self
    ) -> Number? {
        guard offset >= 0, offset <= memory.count - MemoryLayout<Number>.size else { return nil }
        return Number(bigEndian: memory.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    /// A little-endian number at `offset`, or nil if it does not lie within the file.
    package func littleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
        at offset: Int, as type: Number.Type = Number.self
    ) -> Number? {
        guard offset >= 0, offset <= memory.count - MemoryLayout<Number>.size else { return nil }
        return Number(littleEndian: memory.loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}
