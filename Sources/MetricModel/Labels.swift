internal import ByteCoding
#if canImport(Glibc)
internal import Glibc
#endif

/// A label set: names and values, sorted by name, each name once, packed in one buffer.
///
/// Each name and value is preceded by its length: one byte for 0 to 254, else 255 and three bytes, little-endian;
/// so a name or value holds at most 16 MiB. The metric name is the label `__name__`. One allocation a set; equality
/// and hashing run over the packed bytes. This is the encoding of Prometheus' `stringlabels`, so that ``hash64`` is
/// the same number there.
public struct Labels: Sendable, Hashable {
    /// The packed bytes.
    @usableFromInline let packed: [UInt8]

    /// The longest name or value, in bytes.
    public static let maximumLength = (1 << 24) - 1

    /// The empty set.
    public static let empty = Labels(packed: [])

    /// The name of the label that holds the metric name.
    public static let metricName: ByteString = "__name__"

    @usableFromInline init(packed: [UInt8]) { self.packed = packed }

    /// A set of `pairs` in any order; an empty value leaves the label out, of a repeated name the last wins.
    /// Names and values beyond ``maximumLength`` are cut.
    /// - Complexity: O(n log n).
    public init(_ pairs: [(name: ByteString, value: ByteString)]) {
        var builder = LabelsBuilder()
        for pair in pairs { builder.set(pair.name, pair.value) }
        self = builder.labels()
    }

    /// A set written as a dictionary, for tests and constants.
    public init(_ pairs: KeyValuePairs<String, String>) {
        self.init(pairs.map { (ByteString($0.key), ByteString($0.value)) })
    }

    /// A set of pairs that are sorted by name, each name once, no value empty.
    /// - Complexity: O(bytes); one allocation.
    public init(sorted pairs: [(name: ByteString, value: ByteString)]) {
        var packed: [UInt8] = []
        packed.reserveCapacity(pairs.reduce(0) { $0 + $1.name.count + $1.value.count + 2 })
        for pair in pairs {
            Labels.append(pair.name.bytes[...], to: &packed)
            Labels.append(pair.value.bytes[...], to: &packed)
        }
        self.packed = packed
    }

    /// A set that is packed already: names and values in turn, appended by ``append(_:to:)``, sorted by name, each name
    /// once, no value empty. The caller vouches for that: nothing is checked.
    package init(assumingPacked packed: [UInt8]) { self.packed = packed }

    /// Appends a name or value with its length, in the form of ``packedBytes``; what is beyond ``maximumLength`` is cut.
    package static func append(_ text: UnsafeRawBufferPointer, to packed: inout [UInt8]) {
        let count = min(text.count, maximumLength)
        if count < 255 {
            packed.append(UInt8(count))
        } else {
            packed.append(255)
            packed.append(UInt8(truncatingIfNeeded: count))
            packed.append(UInt8(truncatingIfNeeded: count >> 8))
            packed.append(UInt8(truncatingIfNeeded: count >> 16))
        }
        packed.append(contentsOf: UnsafeRawBufferPointer(rebasing: text.prefix(count)))
    }

    /// Whether there are no labels.
    public var isEmpty: Bool { packed.isEmpty }

    /// The number of labels.
    /// - Complexity: O(labels).
    public var count: Int {
        var number = 0
        var index = 0
        while index < packed.count {
            index = Labels.text(in: packed, at: index).upperBound
            index = Labels.text(in: packed, at: index).upperBound
            number += 1
        }
        return number
    }

    /// The packed bytes, usable as a key; see the type for their form.
    public var packedBytes: [UInt8] { packed }

    /// Whether the packed bytes are `bytes`.
    /// - Complexity: O(bytes); no allocation.
    package func isPacked(as bytes: UnsafeRawBufferPointer) -> Bool {
        // SAFETY: both buffers have `packed.count` bytes, and are only read within the call.
        guard packed.count == bytes.count, let other = bytes.baseAddress else { return packed.count == bytes.count }
        return packed.withUnsafeBytes { own in own.baseAddress.map { memcmp($0, other, bytes.count) == 0 } ?? true }
    }

    /// xxHash64 of the packed bytes; equal to Prometheus' `labels.Hash()`.
    /// - Complexity: O(bytes).
    public var hash64: UInt64 { XXHash64.hash(packed) }

    /// The value of `name`, or nil if the label is not there.
    /// - Complexity: O(bytes); one allocation for the value.
    public subscript(name: ByteString) -> ByteString? {
        range(of: name).map { ByteString(packed[$0]) }
    }

    /// The value of `name`, or nil if the label is not there.
    public subscript(name: String) -> ByteString? { self[ByteString(name)] }

    /// The metric name, or nil.
    public var metricName: ByteString? { self[Labels.metricName] }

    /// Whether `name` is one of the labels.
    /// - Complexity: O(bytes); no allocation.
    public func contains(_ name: ByteString) -> Bool { range(of: name) != nil }

    /// Where the value of `name` lies in ``packedBytes``.
    /// - Complexity: O(bytes); no allocation.
    public func range(of name: ByteString) -> Range<Int>? {
        var index = 0
        while index < packed.count {
            let nameRange = Labels.text(in: packed, at: index)
            let valueRange = Labels.text(in: packed, at: nameRange.upperBound)
            if nameRange.count == name.count, packed[nameRange].elementsEqual(name.bytes) { return valueRange }
            index = valueRange.upperBound
        }
        return nil
    }

    /// The pairs, by name. Each costs two allocations; prefer ``forEachRange(_:)`` on hot paths.
    public var pairs: [(name: ByteString, value: ByteString)] {
        var result: [(name: ByteString, value: ByteString)] = []
        forEachRange { name, value in result.append((ByteString(packed[name]), ByteString(packed[value]))) }
        return result
    }

    /// Calls `body` with where each name and value lies in ``packedBytes``, by name.
    public func forEachRange(_ body: (_ name: Range<Int>, _ value: Range<Int>) throws -> Void) rethrows {
        var index = 0
        while index < packed.count {
            let name = Labels.text(in: packed, at: index)
            let value = Labels.text(in: packed, at: name.upperBound)
            try body(name, value)
            index = value.upperBound
        }
    }

    /// The set without the label `name`.
    public func removing(_ name: ByteString) -> Labels {
        guard contains(name) else { return self }
        var builder = LabelsBuilder(self)
        builder.remove(name)
        return builder.labels()
    }

    /// The set with `name` set to `value`; an empty value removes the label.
    public func setting(_ name: ByteString, _ value: ByteString) -> Labels {
        var builder = LabelsBuilder(self)
        builder.set(name, value)
        return builder.labels()
    }

    /// Equality of the packed bytes.
    public static func == (left: Labels, right: Labels) -> Bool { left.packed == right.packed }

    /// Hashes the packed bytes in one call.
    public func hash(into hasher: inout Hasher) {
        packed.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    static func append(_ text: ArraySlice<UInt8>, to packed: inout [UInt8]) {
        let text = text.prefix(maximumLength)
        if text.count < 255 {
            packed.append(UInt8(text.count))
        } else {
            packed.append(255)
            packed.append(UInt8(truncatingIfNeeded: text.count))
            packed.append(UInt8(truncatingIfNeeded: text.count >> 8))
            packed.append(UInt8(truncatingIfNeeded: text.count >> 16))
        }
        packed.append(contentsOf: text)
    }

    /// The range of the text whose length starts at `index`. The buffer is one that this type made.
    static func text(in packed: [UInt8], at index: Int) -> Range<Int> {
        let short = packed[index]
        if short < 255 { return (index + 1)..<(index + 1 + Int(short)) }
        let length = Int(packed[index + 1]) | Int(packed[index + 2]) << 8 | Int(packed[index + 3]) << 16
        return (index + 4)..<(index + 4 + length)
    }
}

extension Labels: Comparable {
    /// Order by names and values, pair by pair, bytes by bytes; a set that is a prefix of another comes first.
    ///
    /// Source: prometheus/prometheus model/labels (`Compare`).
    /// - Complexity: O(bytes of the part that both share); no allocation.
    public static func < (left: Labels, right: Labels) -> Bool {
        // SAFETY: both buffers are packed by this type, so that every length in them lies within; they are only read
        // within the call.
        left.packed.withUnsafeBytes { a in
            right.packed.withUnsafeBytes { b in
                var i = 0
                var j = 0
                while i < a.count && j < b.count {
                    let order = compareText(a, &i, b, &j)
                    if order != 0 { return order < 0 }
                }
                return i >= a.count && j < b.count
            }
        }
    }

    /// Compares the texts whose lengths stand at `i` and `j`, and moves both behind them.
    private static func compareText(
        _ a: UnsafeRawBufferPointer, _ i: inout Int, _ b: UnsafeRawBufferPointer, _ j: inout Int
    ) -> Int {
        let left = length(a, &i)
        let right = length(b, &j)
        let shorter = min(left, right)
        var order = 0
        if shorter > 0, let first = a.baseAddress, let second = b.baseAddress {
            order = Int(memcmp(first + i, second + j, shorter))
        }
        i += left
        j += right
        return order != 0 ? order : left - right
    }

    private static func length(_ bytes: UnsafeRawBufferPointer, _ index: inout Int) -> Int {
        let short = Int(bytes[index])
        index += 1
        if short < 255 { return short }
        let length = Int(bytes[index]) | Int(bytes[index + 1]) << 8 | Int(bytes[index + 2]) << 16
        index += 3
        return length
    }
}

extension Labels: CustomStringConvertible {
    /// `{a="b", c="d"}`, names quoted where they need it, values escaped as Go's `%q` would for ordinary text.
    public var description: String {
        let inner = pairs.map { pair in
            let name = LegacyNames.isLabelName(pair.name) ? pair.name.string : Quoting.quote(pair.name)
            return "\(name)=\(Quoting.quote(pair.value))"
        }
        return "{" + inner.joined(separator: ", ") + "}"
    }
}
