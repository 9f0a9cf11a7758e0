#ifndef NARTHEX_CRC32C_H
#define NARTHEX_CRC32C_H
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) of `length` bytes, continuing from `crc` (0 to start).
/// Uses the processor's instruction where it has one, a table otherwise. O(length), no allocation.
uint32_t narthex_crc32c(uint32_t crc, const void *bytes, size_t length);

#endif
