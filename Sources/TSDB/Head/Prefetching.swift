internal import CPrefetch

/// Hints that let the processor fetch what an append will touch while it works on the series before: with many series
/// each sample waits for memory several times, which is most of its cost.
///
/// An append first reads the series, then the end of its open chunk, whose address stands in the series: the two hints
/// are given some samples apart, the second when the first has taken effect.
enum Prefetching {
    /// How far ahead series are asked for.
    static let seriesDistance = 16
    /// How far ahead the ends of their chunks are asked for.
    static let chunkDistance = 6
    /// How far ahead places in a table of series are asked for, then the series found there.
    static let lookUpDistances = (slot: 16, series: 8)

    /// Asks for a series, which is alive.
    @inline(__always)
    static func series(_ series: Unmanaged<MemorySeries>) {
        // SAFETY: only hints are given: addresses behind the object are allowed.
        let base = UnsafeRawPointer(series.toOpaque())
        narthex_prefetch(base)
        narthex_prefetch(base + 64)
        narthex_prefetch(base + 128)
        narthex_prefetch(base + 192)
    }

    /// Asks for the end of a series' open chunk. Nobody else may change the series meanwhile.
    @inline(__always)
    static func openChunk(_ series: Unmanaged<MemorySeries>) {
        series._withUnsafeGuaranteedRef { $0.floats.prefetchEnd() }
    }
}
