internal import MetricModel

/// The optional start timestamps of XOR2 and histogram chunks: one header byte, and per sample the difference to the
/// time of the sample before, first as it is and then as a delta.
///
/// Source: prometheus/prometheus tsdb/chunkenc/st.go and tsdb/docs/format/chunks.md, "Start timestamp encoding".
struct StartTimestampCoder: Sendable {
    /// Whether the first sample has one.
    private var firstKnown = false
    /// Index of the first sample from which on each has one; 0 for none.
    private var changeOn: UInt16 = 0
    /// Start timestamp of the last sample.
    private(set) var startTimestamp: Timestamp = 0
    private var difference: Int64 = 0

    /// The header has seven bits for an index: from this sample on all are written, whether they changed or not.
    private static let lastChangeOn: UInt16 = 0x7F

    /// The state before the first sample.
    init() {}

    /// What `header` announces.
    init(header: UInt8) {
        firstKnown = header & 0x80 != 0
        changeOn = UInt16(header & 0x7F)
    }

    /// The header byte so far.
    var header: UInt8 { (firstKnown ? 0x80 : 0) | UInt8(truncatingIfNeeded: changeOn) }

    /// Whether any sample has a start timestamp.
    var isPresent: Bool { firstKnown || changeOn != 0 }

    /// Writes what sample `index` needs; `previous` is the time of the sample before it.
    /// - Returns: Whether the header changed.
    mutating func write(
        _ start: Timestamp, index: Int, timestamp: Timestamp, previous: Timestamp, to writer: inout BitWriter
    ) -> Bool {
        defer { startTimestamp = start }
        if index == 0 {
            guard start != 0 else { return false }
            writer.writeVarint(timestamp &- start)
            firstKnown = true
            return true
        }
        let newDifference = previous &- start
        if changeOn > 0 {
            writer.writeVarbit(newDifference &- difference)
            difference = newDifference
            return false
        }
        guard start != startTimestamp || index == Int(Self.lastChangeOn) else { return false }
        changeOn = UInt16(min(index, Int(Self.lastChangeOn)))
        writer.writeVarbit(newDifference)
        difference = newDifference
        return true
    }

    /// Reads what sample `index` has.
    @inline(__always)
    mutating func read(
        index: Int, timestamp: Timestamp, previous: Timestamp, from reader: inout BitReader
    ) throws(ChunkError) {
        if index == 0 {
            if firstKnown { startTimestamp = timestamp &- (try reader.readVarint()) }
        } else if changeOn > 0 && index >= Int(changeOn) {
            let read = try reader.readVarbit()
            difference = index == Int(changeOn) ? read : difference &+ read
            startTimestamp = previous &- difference
        }
    }
}
