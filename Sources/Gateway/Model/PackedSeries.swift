internal import ByteCoding
#if canImport(Glibc)
internal import Glibc
#endif
internal import MetricModel

/// One metric as the store keeps it: labels and value in one buffer.
///
/// | byte | what |
/// |---|---|
/// | 0 | low four bits: the type of its family; bit 4: left out of scrapes; bit 5: a label name that is not legacy |
/// | 1 | ``PackedValue/Kind`` |
/// | 2, 3 | ``GroupingKey/shardHash`` of its group, little-endian |
/// | … | number of labels, then each label's name and value with their lengths, sorted by name: the key |
/// | … | the value |
struct PackedSeries: Sendable {
    private(set) var bytes: [UInt8]

    static let unexposableFlag: UInt8 = 0x10
    static let utf8NameFlag: UInt8 = 0x20

    /// Takes what ``SeriesPacker`` made.
    init(packed bytes: [UInt8]) { self.bytes = bytes }

    /// Packs a metric whose labels are complete and sorted.
    init(
        labels: [LabelPair], value: MetricValue, type: MetricType, isExposable: Bool, shardHash: UInt16 = 0
    ) {
        var writer = PackedWriter()
        writer.bytes.reserveCapacity(
            12 + labels.reduce(0) { $0 + $1.name.count + $1.value.count + 2 } + PackedSeries.sizeHint(value))
        var head = type.rawValue
        if !isExposable { head |= PackedSeries.unexposableFlag }
        if !labels.allSatisfy({ LegacyNames.isLabelName($0.name) }) { head |= PackedSeries.utf8NameFlag }
        writer.byte(head)
        writer.byte(PackedValue.kind(of: value).rawValue)
        writer.shardHash(shardHash)
        writer.count(labels.count)
        for label in labels {
            writer.text(label.name)
            writer.text(label.value)
        }
        PackedValue.append(value, to: &writer)
        bytes = writer.bytes
    }

    /// Takes bytes that were packed before, after reading them through.
    init(checking bytes: [UInt8]) throws(MalformedBytes) {
        guard bytes.count > PackedSeries.keyOffset, MetricType(rawValue: bytes[0] & 0x0F) != nil, bytes[0] & 0xC0 == 0
        else {
            throw MalformedBytes()
        }
        self.bytes = bytes
        var reader = PackedReader(bytes, at: valueOffset)
        guard let kind = PackedValue.Kind(rawValue: bytes[1]), try PackedSeries.checkKey(bytes) == valueOffset else {
            throw MalformedBytes()
        }
        _ = try PackedValue.read(kind, &reader)
        guard reader.isAtEnd else { throw MalformedBytes() }
    }

    /// Puts another number in place of that of a gauge.
    mutating func setGauge(_ value: Double) {
        let offset = bytes.count - 8
        guard offset >= 0, bytes[1] == PackedValue.Kind.gauge.rawValue else { return }
        // SAFETY: the last eight bytes of a gauge are its value.
        bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: value.bitPattern.littleEndian, toByteOffset: offset, as: UInt64.self)
        }
    }

    /// The same labels with another value.
    /// - Parameter meanCount: For a gauge that is a mean: of how many values.
    func replacingValue(_ value: MetricValue, meanCount: UInt64? = nil) -> PackedSeries {
        var writer = PackedWriter()
        writer.bytes.reserveCapacity(bytes.count + 8)
        writer.bytes.append(contentsOf: bytes[..<valueOffset])
        writer.bytes[1] = (meanCount == nil ? PackedValue.kind(of: value) : .meanGauge).rawValue
        PackedValue.append(value, to: &writer)
        if let meanCount { writer.varint(meanCount) }
        return PackedSeries(packed: writer.bytes)
    }

    /// Of how many values a gauge is the mean; nil if it is none.
    var meanCount: UInt64? {
        guard bytes[1] == PackedValue.Kind.meanGauge.rawValue else { return nil }
        var reader = PackedReader(bytes, at: valueOffset + 8)
        return try? reader.varint()
    }

    /// The series as part of its own bytes.
    var view: SeriesView { SeriesView(bytes: bytes, start: 0, end: bytes.count) }

    /// Type and flags.
    var head: UInt8 { bytes[0] }

    static func sizeHint(_ value: MetricValue) -> Int {
        switch value {
        case .counter, .gauge, .untyped: 8
        case .summary(let summary): 24 + summary.quantiles.count * 16
        case .histogram(let histogram): 40 + histogram.buckets.count * 17
        }
    }

    /// The type of the family it was pushed in.
    var type: MetricType { MetricType(rawValue: bytes[0] & 0x0F) ?? .unknown }

    /// Whether a scrape may show it at all: the value fits the type, and the labels are valid.
    var isExposable: Bool { bytes[0] & PackedSeries.unexposableFlag == 0 }

    /// Whether a label name needs quoting or escaping.
    var hasUTF8Names: Bool { bytes[0] & PackedSeries.utf8NameFlag != 0 }

    /// Where the key starts.
    static let keyOffset = 4

    /// Where the value starts. The bytes were checked when they were packed or read.
    var valueOffset: Int {
        // SAFETY: the walk checks every offset.
        bytes.withUnsafeBytes { KeyWalk.end($0) }
    }

    /// Where the key of a series ends.
    static func keyEnd(_ bytes: UnsafeRawBufferPointer) -> Int { KeyWalk.end(bytes) }

    private static func checkKey(_ bytes: [UInt8]) throws(MalformedBytes) -> Int {
        var reader = PackedReader(bytes, at: keyOffset)
        for _ in 0..<(try reader.count()) {
            _ = try reader.textRange()
            _ = try reader.textRange()
        }
        return reader.position
    }

    /// A hash of the labels; it changes from process to process.
    var keyHash: UInt64 {
        keyHash(end: valueOffset)
    }

    /// ``keyHash``, where the end of the key is known.
    func keyHash(end: Int) -> UInt64 {
        // SAFETY: the buffer is only read within the call; the range is cut to it.
        bytes.withUnsafeBytes { buffer in
            let end = min(end, buffer.count)
            return ByteHash.hash(UnsafeRawBufferPointer(rebasing: buffer[min(Self.keyOffset, end)..<end]))
        }
    }

    /// Whether both have the same labels.
    func hasSameKey(as other: PackedSeries) -> Bool { other.bytes.withUnsafeBytes { hasSameKey(as: $0) } }

    /// Whether `other`, the bytes of a series, has the same labels.
    func hasSameKey(as other: UnsafeRawBufferPointer) -> Bool {
        // SAFETY: both buffers hold at least `end` bytes. A key that is a prefix of the other's bytes is the other's
        // key, since the number of labels and each length come first.
        bytes.withUnsafeBytes { own in
            let end = KeyWalk.end(own)
            guard end <= other.count, let first = own.baseAddress, let second = other.baseAddress else { return false }
            let start = PackedSeries.keyOffset
            return memcmp(first + start, second + start, end - start) == 0
        }
    }

    /// ``compare(_:_:)`` with the bytes of a series.
    func compare(with other: UnsafeRawBufferPointer) -> Int {
        // SAFETY: both buffers are only read within the call; the walk checks every offset.
        bytes.withUnsafeBytes { KeyWalk.compare($0, other) }
    }

    /// Upstream's order within a family: by the number of labels, then by their values; names decide between series
    /// with the same values.
    ///
    /// Source: prometheus/client_golang prometheus/internal/metric.go (`MetricSorter`).
    /// - Returns: a negative number, zero or a positive number.
    static func compare(_ left: PackedSeries, _ right: PackedSeries) -> Int {
        // SAFETY: both buffers are only read within the call; the walk checks every offset.
        left.bytes.withUnsafeBytes { a in right.bytes.withUnsafeBytes { b in KeyWalk.compare(a, b) } }
    }

    /// The labels, sorted by name.
    var labels: [LabelPair] { view.labels }

    /// The metric as the model has it.
    var metric: Metric { view.metric }

    /// The value as the model has it.
    var value: MetricValue { view.value }
}

/// Walks over two keys at once.
private enum KeyWalk {
    static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
        var i = PackedSeries.keyOffset
        var j = PackedSeries.keyOffset
        let countA = length(a, &i)
        let countB = length(b, &j)
        if countA != countB { return countA - countB }
        var nameOrder = 0
        for _ in 0..<countA {
            let order = compareText(a, &i, b, &j)
            if nameOrder == 0 { nameOrder = order }
            let valueOrder = compareText(a, &i, b, &j)
            if valueOrder != 0 { return valueOrder }
        }
        return nameOrder
    }

    /// Where the key ends; a key that does not fit, which only unchecked bytes can hold, ends with the bytes.
    static func end(_ bytes: UnsafeRawBufferPointer) -> Int {
        var index = PackedSeries.keyOffset
        var rest = length(bytes, &index) &* 2
        while rest > 0, index < bytes.count {
            let count = length(bytes, &index)
            guard count <= bytes.count &- index else { return bytes.count }
            index &+= count
            rest &-= 1
        }
        return index
    }

    @inline(__always)
    private static func length(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Int {
        guard index < bytes.count else { return 0 }
        let first = bytes[index]
        if first < 0x80 {
            index &+= 1
            return Int(first)
        }
        return Int(UInt32(clamping: Varint.read(bytes, at: &index) ?? 0))
    }

    @inline(__always)
    private static func compareText(
        _ a: UnsafeRawBufferPointer, _ i: inout Int, _ b: UnsafeRawBufferPointer, _ j: inout Int
    ) -> Int {
        let countA = min(length(a, &i), a.count &- i)
        let countB = min(length(b, &j), b.count &- j)
        defer {
            i &+= countA
            j &+= countB
        }
        let shorter = min(countA, countB)
        if shorter > 0, let first = a.baseAddress, let second = b.baseAddress {
            // SAFETY: `shorter` bytes from `i` and from `j` lie within their buffers.
            let order = memcmp(first + i, second + j, shorter)
            if order != 0 { return Int(order) }
        }
        return countA &- countB
    }
}
