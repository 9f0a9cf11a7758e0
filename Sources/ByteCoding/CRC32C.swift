internal import CCRC32C

/// CRC-32C (Castagnoli), the checksum of Prometheus' files, of snappy frames and of our journal.
package enum CRC32C {
    /// The checksum of `bytes`, continuing from `seed` (the checksum of what came before; 0 to start).
    /// - Complexity: O(n), about 8 bytes a cycle where the processor has the instruction; no allocation.
    package static func checksum(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
        narthex_crc32c(seed, bytes.baseAddress, bytes.count)
    }

    /// The checksum of `bytes`.
    package static func checksum(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        // SAFETY: the buffer is only read within the call.
        bytes.withUnsafeBytes { checksum($0, seed: seed) }
    }

    /// The checksum of `bytes`.
    package static func checksum(_ bytes: ArraySlice<UInt8>, seed: UInt32 = 0) -> UInt32 {
        // SAFETY: the buffer is only read within the call.
        bytes.withUnsafeBytes { checksum($0, seed: seed) }
    }
}
