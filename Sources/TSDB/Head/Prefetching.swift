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
    /// How far ahead places in a table of series are asked for, then the series found there, then its labels.
    static let lookUpDistances = (slot: 18, series: 12, labels: 6)

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

    /// Asks for the labels of a series.
    @inline(__always)
    static func labels(_ series: Unmanaged<MemorySeries>) {
        // SAFETY: as for chunks below; labels never change.
        let base = series._withUnsafeGuaranteedRef { unsafeBitCast($0.labels, to: UnsafeRawPointer.self) }
        narthex_prefetch(base)
        narthex_prefetch(base + 64)
        narthex_prefetch(base + 128)
        narthex_prefetch(base + 192)
    }
}

extension XORAppender {
    @inline(__always)
    func prefetchEnd() { writer.prefetchEnd() }
}

extension BitWriter {
    /// Asks for the array's header, which a write looks at, and for the bytes that the next write changes.
    @inline(__always)
    func prefetchEnd() {
        // SAFETY: the reference is used as an address only, for hints; nothing is read through it.
        let base = unsafeBitCast(storage, to: UnsafeRawPointer.self)
        narthex_prefetch(base)
        narthex_prefetch(base + 32 + bitCount >> 3)
    }
}
