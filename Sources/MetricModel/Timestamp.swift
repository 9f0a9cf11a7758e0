/// Milliseconds since 1970-01-01 UTC, as Prometheus counts time.
public typealias Timestamp = Int64

/// Bit patterns of special sample values.
public enum SampleValue {
    /// Marks the end of a series ("stale"): a NaN with a payload of its own, recognised by its bits.
    ///
    /// Source: prometheus/prometheus model/value/value.go.
    public static let staleBits: UInt64 = 0x7FF0_0000_0000_0002

    /// The ordinary NaN that Prometheus writes.
    public static let normalNaNBits: UInt64 = 0x7FF8_0000_0000_0001

    /// The staleness marker as a number. Compare bits, never values.
    public static let stale = Double(bitPattern: staleBits)

    /// Whether `value` is the staleness marker.
    @inlinable
    public static func isStale(_ value: Double) -> Bool { value.bitPattern == 0x7FF0_0000_0000_0002 }
}
