internal import ByteCoding
internal import MetricModel
internal import TSDB

/// One series of a remote write message, whose label texts are ranges of the message.
struct RemoteWriteSeries {
    /// The label pairs.
    var labels: [(name: Range<Int>, value: Range<Int>)] = []
    var samples: [(timestamp: Timestamp, value: Double, start: Timestamp)] = []
    /// Messages, read where they are used.
    var histograms: [Range<Int>] = []
    var exemplars: [Range<Int>] = []
    /// Of version 2: a message.
    var metadata: Range<Int>?
    /// Of version 2: what the labels are made of.
    var labelReferences: [Int] = []
    /// The same, as upstream prints them.
    var references: String { "\(labelReferences)".replacing(",", with: "") }
    /// Labels that the receiver adds, in the place of those of their names.
    var added: [(name: ByteString, value: ByteString)] = []

    mutating func removeAll() {
        labels.removeAll(keepingCapacity: true)
        samples.removeAll(keepingCapacity: true)
        histograms.removeAll(keepingCapacity: true)
        exemplars.removeAll(keepingCapacity: true)
        metadata = nil
        labelReferences.removeAll(keepingCapacity: true)
        added.removeAll(keepingCapacity: true)
    }

    /// Whether the text in `second` comes after the one in `first`.
    @inline(__always)
    static func isAscending(_ bytes: UnsafeRawBufferPointer, _ first: Range<Int>, _ second: Range<Int>) -> Bool {
        let common = min(first.count, second.count)
        var index = 0
        while index < common {
            let a = bytes[first.lowerBound &+ index]
            let b = bytes[second.lowerBound &+ index]
            if a != b { return a < b }
            index &+= 1
        }
        return first.count < second.count
    }

    /// The labels as a set.
    func labelSet(_ bytes: UnsafeRawBufferPointer) -> Labels {
        let sent = labels.map { (name: ByteString(bytes[$0.name]), value: ByteString(bytes[$0.value])) }
        if added.isEmpty { return Labels(sent) }
        return Labels(sent.filter { !MetricMetadata.labelNames.contains($0.name) } + added)
    }

    /// Makes labels of the type and unit.
    mutating func addLabels(_ metadata: MetricMetadata) {
        if metadata.type != .unknown || !metadata.unit.isEmpty { added = metadata.labels }
    }

    /// What is wrong with the labels, or nil.
    func labelFault(_ bytes: UnsafeRawBufferPointer) -> LabelFault? {
        var names: Set<ByteString> = []
        var hasMetricName = false
        for label in labels {
            let name = ByteString(bytes[label.name])
            let value = ByteString(bytes[label.value])
            if !Self.isSound(name, value, &hasMetricName) { return .invalid }
            if !names.insert(name).inserted { return .duplicate(name) }
        }
        return hasMetricName ? nil : .invalid
    }

    /// Whether labels that are sorted, each name once, can be stored.
    static func isSound(_ labels: Labels) -> Bool {
        let packed = labels.packedBytes
        let metricName = Labels.metricName.bytes
        var isSound = true
        var hasMetricName = false
        labels.forEachRange { name, value in
            if packed[name].elementsEqual(metricName) { hasMetricName = true }
            isSound =
                isSound && !name.isEmpty && UTF8Validation.isValid(packed, name)
                && UTF8Validation.isValid(packed, value)
        }
        return isSound && hasMetricName
    }

    private static func isSound(_ name: ByteString, _ value: ByteString, _ hasMetricName: inout Bool) -> Bool {
        if !NameValidation.utf8.isLabelName(name) || !value.isValidUTF8 { return false }
        if name == Labels.metricName {
            if value.isEmpty { return false }
            hasMetricName = true
        }
        return true
    }

    /// Why labels cannot be stored.
    enum LabelFault {
        case invalid
        case duplicate(ByteString)
    }
}
