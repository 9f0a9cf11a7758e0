#if canImport(Glibc)
internal import Glibc
#endif

/// The system's error numbers (`errno`) in words.
package enum SystemError {
    /// `no such file or directory`: as Go's programs say it, in lower case.
    package static func reason(_ code: Int32) -> String {
        let text = sentence(code)
        return text.prefix(1).lowercased() + text.dropFirst()
    }

    /// `No such file or directory`: as the C library says it.
    package static func sentence(_ code: Int32) -> String {
        // SAFETY: strerror_r writes a terminated string of at most the buffer's length.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, strerror_r(code, base, buffer.count) == 0 else {
                return "unknown error"
            }
            return String(cString: base)
        }
    }
}
