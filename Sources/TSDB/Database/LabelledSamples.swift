internal import ByteCoding
package import MetricModel

/// Numbers whose series are told by their labels, many in one buffer: what a remote write carries.
///
/// Reused from request to request: adding allocates only while the buffer grows. Labels are added pair by pair and
/// end up in the form of ``MetricModel/Labels/packedBytes``, which the head looks up as they are.
package struct LabelledSamples: ~Copyable {
    /// A number and where its labels lie.
    struct Row {
        var hash: UInt64
        var start: UInt32
        var end: UInt32
        var timestamp: Timestamp
        var value: Double
    }

    private var texts = WireBuffer(capacity: 64 * 1024)
    private(set) var rows: [Row] = []
    /// One start timestamp for each row, as far as the last that has one.
    private var starts: [Timestamp] = []
    /// Where the labels of the series that is being added start.
    private var seriesStart = 0
    /// Their hash, once it is needed.
    private var seriesHash: UInt64?
    /// Rows before that series.
    private var rowsBefore = 0

    /// Above it, what was added should be appended.
    package static let fullByteCount = 1 << 20

    /// No samples.
    package init() {}

    /// Number of samples.
    package var count: Int { rows.count }

    /// Bytes of the labels.
    package var byteCount: Int { texts.count }

    /// Forgets the samples, keeps a moderate amount of memory.
    package mutating func removeAll() {
        texts.removeAll()
        texts.shrink(to: 4 << 20)
        rows.removeAll(keepingCapacity: rows.capacity <= 1 << 16)
        starts.removeAll(keepingCapacity: starts.capacity <= 1 << 16)
        seriesStart = 0
        seriesHash = nil
        rowsBefore = 0
    }

    /// Begins the next series: labels, then samples.
    package mutating func beginSeries() {
        seriesStart = texts.count
        seriesHash = nil
        rowsBefore = rows.count
    }

    /// Forgets what was added since ``beginSeries()``.
    package mutating func discardSeries() {
        texts.truncate(to: seriesStart)
        rows.removeLast(rows.count - rowsBefore)
        if starts.count > rows.count { starts.removeLast(starts.count - rows.count) }
        seriesHash = nil
    }

    /// Adds a label to the series. The caller vouches for ascending names, each once, and values that are not empty.
    /// - Returns: false if a text is too long for a label set; nothing is added then.
    package mutating func addLabel(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
        guard name.count <= Labels.maximumLength, value.count <= Labels.maximumLength,
            texts.count + name.count + value.count + 8 <= Int(Int32.max)
        else { return false }
        texts.reserve(name.count &+ value.count &+ 8)
        putReserved(name)
        putReserved(value)
        return true
    }

    @inline(__always)
    private mutating func putReserved(_ text: UnsafeRawBufferPointer) {
        if text.count < 255 {
            texts.putReserved(UInt8(truncatingIfNeeded: text.count))
        } else {
            texts.putReserved(255)
            texts.putReserved(UInt8(truncatingIfNeeded: text.count))
            texts.putReserved(UInt8(truncatingIfNeeded: text.count >> 8))
            texts.putReserved(UInt8(truncatingIfNeeded: text.count >> 16))
        }
        texts.put(text)
    }

    /// Adds a sample to the series.
    /// - Parameter start: Start timestamp; 0 if not known.
    package mutating func addSample(_ timestamp: Timestamp, _ value: Double, start: Timestamp = 0) {
        if start != 0 {
            starts.append(contentsOf: repeatElement(0, count: rows.count - starts.count))
            starts.append(start)
        }
        let end = texts.count
        let hash: UInt64
        if let known = seriesHash {
            hash = known
        } else {
            hash = XXHash64.hash(UnsafeRawBufferPointer(rebasing: texts.bytes[seriesStart..<end]))
            seriesHash = hash
        }
        rows.append(
            Row(
                hash: hash, start: UInt32(truncatingIfNeeded: seriesStart), end: UInt32(truncatingIfNeeded: end),
                timestamp: timestamp, value: value))
    }

    /// The labels of a sample's series; `index` is below ``count``.
    package func labels(at index: Int) -> Labels {
        Labels(assumingPacked: [UInt8](packedLabels(rows[index])))
    }

    /// The start timestamp of a sample; 0 if not known.
    @inline(__always)
    func start(at index: Int) -> Timestamp { index < starts.count ? starts[index] : 0 }

    /// Whether two samples were added to the same series; both indices are below ``count``.
    package func areOfOneSeries(_ first: Int, _ second: Int) -> Bool { rows[first].start == rows[second].start }

    /// The labels of a row; valid until the next change.
    @inline(__always)
    func packedLabels(_ row: Row) -> UnsafeRawBufferPointer {
        // SAFETY: rows are made by ``addSample(_:_:)`` only, with bounds within `texts`, which never shrinks below
        // those of a row that is kept.
        UnsafeRawBufferPointer(rebasing: texts.bytes[Int(row.start)..<Int(row.end)])
    }
}
