/// The number of a series in the head: as long as the head knows the series, samples can be appended by it, without
/// labels. The numbers are those of the write-ahead log; 0 is none.
///
/// A reference that was kept for long may have become unknown, when its series had no samples left in the head.
@frozen
package struct SeriesReference: RawRepresentable, Sendable, Hashable {
    /// The number.
    package let rawValue: UInt64

    /// The series of number `rawValue`.
    @inlinable
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// No series: the labels tell.
    package static let none = SeriesReference(rawValue: 0)
}

/// A number for a series that is known by its reference; many of them make a batch.
@frozen
package struct ReferencedSample: Sendable, Hashable {
    /// Which series.
    package var reference: SeriesReference
    /// Milliseconds since 1970.
    package var timestamp: Int64
    /// Any bits, staleness marker and NaN payloads included.
    package var value: Double

    /// `value` of series `reference` at `timestamp`.
    @inlinable
    package init(_ reference: SeriesReference, _ timestamp: Int64, _ value: Double) {
        self.reference = reference
        self.timestamp = timestamp
        self.value = value
    }
}
