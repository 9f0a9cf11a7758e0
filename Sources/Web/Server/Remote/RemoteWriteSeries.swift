internal import ByteCoding
internal import MetricModel

/// One series of a remote write message, whose label texts are ranges of the message.
///
/// Labels in order, as senders must send them, are packed into a reused buffer that the store can look up without
/// making a label set.
struct RemoteWriteSeries {
    /// The label pairs.
    var labels: [(name: Range<Int>, value: Range<Int>)] = []
    var samples: [(timestamp: Timestamp, value: Double, start: Timestamp)] = []
    /// Messages, read where they are used.
    var histograms: [Range<Int>] = []
    var exemplars: [Range<Int>] = []
    /// Of version 2: a message.
    var metadata: Range<Int>?
    /// The labels in the form of ``MetricModel/Labels/packedBytes``; empty if they are not in order.
    private(set) var packed: [UInt8] = []

    mutating func removeAll() {
        labels.removeAll(keepingCapacity: true)
        samples.removeAll(keepingCapacity: true)
        histograms.removeAll(keepingCapacity: true)
        exemplars.removeAll(keepingCapacity: true)
        metadata = nil
        packed.removeAll(keepingCapacity: true)
    }

    /// Packs the labels, if they are sorted, each name once and no value empty.
    mutating func pack(_ bytes: [UInt8]) {
        packed.removeAll(keepingCapacity: true)
        var previous = 0..<0
        for label in labels {
            if label.value.isEmpty || !Self.isAscending(bytes, previous, label.name) {
                packed.removeAll(keepingCapacity: true)
                return
            }
            previous = label.name
            Self.append(bytes[label.name], to: &packed)
            Self.append(bytes[label.value], to: &packed)
        }
    }

    private static func isAscending(_ bytes: [UInt8], _ first: Range<Int>, _ second: Range<Int>) -> Bool {
        for (a, b) in zip(first, second) where bytes[a] != bytes[b] { return bytes[a] < bytes[b] }
        return first.count < second.count
    }

    private static func append(_ text: ArraySlice<UInt8>, to packed: inout [UInt8]) {
        if text.count < 255 {
            packed.append(UInt8(text.count))
        } else {
            let count = min(text.count, Labels.maximumLength)
            packed.append(255)
            for shift in [0, 8, 16] { packed.append(UInt8(truncatingIfNeeded: count >> shift)) }
        }
        packed.append(contentsOf: text.prefix(Labels.maximumLength))
    }

    /// The hash of ``packed``.
    var hash: UInt64 { XXHash64.hash(packed) }

    /// The labels as a set.
    func labelSet(_ bytes: [UInt8]) -> Labels {
        Labels(labels.map { (ByteString(bytes[$0.name]), ByteString(bytes[$0.value])) })
    }

    /// What is wrong with the labels, or nil.
    func labelFault(_ bytes: [UInt8]) -> LabelFault? {
        var names: Set<ByteString> = []
        var hasMetricName = false
        for label in labels {
            let name = ByteString(bytes[label.name])
            let value = ByteString(bytes[label.value])
            if !NameValidation.utf8.isLabelName(name) || !value.isValidUTF8 { return .invalid }
            if name == Labels.metricName {
                if !NameValidation.utf8.isMetricName(value) { return .invalid }
                hasMetricName = true
            }
            if !names.insert(name).inserted { return .duplicate(name) }
        }
        return hasMetricName ? nil : .invalid
    }

    /// Why labels cannot be stored.
    enum LabelFault {
        case invalid
        case duplicate(ByteString)
    }
}
