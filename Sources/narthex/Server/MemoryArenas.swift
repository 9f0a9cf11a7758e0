import CAllocator

#if canImport(Glibc)
import Glibc
#endif

/// How the C library divides memory between threads.
enum MemoryArenas {
    /// Lets threads share as many arenas as there are cores; call it before there are threads.
    ///
    /// By default there are eight for each core, and each keeps what the largest scrape or query that ever ran in it took:
    /// on two cores, 300 MiB where 90 are enough, at the same processor time (`Scripts/long-run`).
    static func share() {
        narthex_limit_arenas(Int32(clamping: max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    }
}
