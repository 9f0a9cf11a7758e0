internal import MetricModel

/// What a pushed series must fulfil, whatever else is stored.
enum SeriesRules {
    private static let instance: ByteString = "instance"
    private static let quantile: ByteString = "quantile"
    private static let bucketBound: ByteString = "le"
    private static let reservedPrefix: ByteString = "__"

    /// The labels with those of the group (which overwrite) and an empty `instance` if there is none, sorted by name.
    ///
    /// Source: prometheus/pushgateway storage/diskmetricstore.go (`sanitizeLabels`).
    static func sanitized(_ labels: [LabelPair], with own: [LabelPair]) -> [LabelPair] {
        var result = labels
        result.reserveCapacity(labels.count + own.count + 1)
        for label in own {
            if let index = result.firstIndex(where: { $0.name == label.name }) {
                result[index].value = label.value
            } else {
                result.append(label)
            }
        }
        return withInstance(result)
    }

    /// The labels with an empty `instance` if there is none, sorted by name.
    static func withInstance(_ labels: [LabelPair]) -> [LabelPair] {
        var result = labels
        if !result.contains(where: { $0.name == instance }) { result.append(LabelPair(instance, "")) }
        // Insertion sort: stable, and labels are few and mostly in order.
        var index = 1
        while index < result.count {
            var position = index
            while position > 0, result[position].name < result[position - 1].name {
                result.swapAt(position, position - 1)
                position -= 1
            }
            index += 1
        }
        return result
    }

    /// What is wrong with sorted labels, as the end of a sentence that begins with the metric; nil if nothing is.
    ///
    /// Source: prometheus/client_golang prometheus/registry.go (`checkMetricConsistency`).
    static func violation(in labels: [LabelPair], reserved: ByteString? = nil) -> String? {
        for (index, label) in labels.enumerated() {
            if index > 0, label.name == labels[index - 1].name {
                return " has two or more labels with the same name: \(label.name)"
            }
            if label.name.isEmpty || label.name.hasPrefix(reservedPrefix) || !isUTF8(label.name) {
                return " has a label with an invalid name: \(label.name)"
            }
            if label.name == reserved { return " must not have an explicit \(Quoting.quote(label.name)) label" }
            if !isUTF8(label.value) {
                return " has a label named \(Quoting.quote(label.name)) whose value is not utf8: "
                    + Quoting.quote(label.value)
            }
        }
        return nil
    }

    /// What is wrong with a value in a family of `type`; nil if nothing is.
    static func violation(of value: MetricValue, in type: MetricType) -> String? {
        let fits =
            switch (type, value) {
            case (.counter, .counter), (.gauge, .gauge), (.unknown, .untyped), (.summary, .summary),
                (.histogram, .histogram), (.gaugeHistogram, .histogram):
                true
            case (.info, .gauge), (.info, .untyped), (.info, .counter), (.stateSet, .gauge), (.stateSet, .untyped):
                true
            default: false
            }
        return fits ? nil : " is not a \(type.upstreamName)"
    }

    /// The label that the exposition adds to lines of `value`. Upstream takes an explicit `le` and then writes two.
    static func reservedLabel(of value: MetricValue) -> ByteString? {
        switch value {
        case .summary: quantile
        case .histogram: bucketBound
        default: nil
        }
    }

    /// Whether a label is valid for sure; false where a closer look is needed.
    static func isPlainlyValid(_ label: LabelPair) -> Bool {
        let name = label.name.bytes
        guard !name.isEmpty, name[0] != UInt8(ascii: "_") || name.count < 2 || name[1] != UInt8(ascii: "_") else {
            return false
        }
        return isASCII(name) && isASCII(label.value.bytes)
    }

    /// Whether a family may be called `name`: upstream takes any UTF-8 that is not empty.
    static func isValidMetricName(_ name: ByteString) -> Bool { !name.isEmpty && isUTF8(name) }

    private static func isASCII(_ bytes: [UInt8]) -> Bool {
        // SAFETY: the buffer is only read within the call, at indices below its count.
        bytes.withUnsafeBufferPointer { buffer in
            var all: UInt8 = 0
            for byte in buffer { all |= byte }
            return all < 0x80
        }
    }

    private static func isUTF8(_ text: ByteString) -> Bool {
        // Most texts are ASCII; only others are decoded.
        isASCII(text.bytes) || text.isValidUTF8
    }
}

extension MetricType {
    /// The name in upstream's error texts and JSON: that of the protobuf enumeration.
    package var upstreamName: String {
        switch self {
        case .unknown: "UNTYPED"
        case .counter: "COUNTER"
        case .gauge: "GAUGE"
        case .summary: "SUMMARY"
        case .histogram: "HISTOGRAM"
        case .gaugeHistogram: "GAUGE_HISTOGRAM"
        case .info: "INFO"
        case .stateSet: "STATESET"
        }
    }
}
