internal import ByteCoding
package import MetricModel

/// What the entry that was read last holds.
extension ProtobufReader {
    /// The family's name.
    package var name: ByteString { decoder.text(familyName) }

    /// Of a help or unit entry: its text. `entry` says which.
    package func text(of entry: Entry) -> ByteString {
        switch entry {
        case .help: decoder.text(help)
        case .unit: decoder.text(unit)
        case .type, .series, .histogram: ""
        }
    }

    /// Of a series or histogram entry: its labels, metric name and bound included.
    /// - Complexity: O(bytes); several allocations.
    package var labels: Labels {
        var full = name
        full.bytes.append(contentsOf: suffix.utf8)
        var pairs: [(name: ByteString, value: ByteString)] = [(Labels.metricName, full)]
        for range in labelRanges {
            guard let (name, value) = try? labelTexts(range) else { continue }
            pairs.append((decoder.text(name), decoder.text(value)))
        }
        switch part {
        case .quantile(let index): pairs.append(("quantile", text(summary.quantiles[index].quantile)))
        case .bucket(let index): pairs.append(("le", text(histogramFields.buckets[index].upperBound)))
        case .infinity: pairs.append(("le", "+Inf"))
        case .number, .count, .sum, .native, .converted: break
        }
        // Names are checked to be unique. Empty values are kept: they say that a target's label is not wanted.
        return Labels(sorted: pairs.sorted { $0.name < $1.name })
    }

    private func text(_ bound: Double) -> ByteString { ByteString(FloatText.string(bound, .openMetrics)) }

    /// Of a series or histogram entry: when counting began, in milliseconds; nil where that is not known.
    package var startTimestamp: Timestamp? {
        created.map { $0 / 1_000_000 }.flatMap { $0 == 0 ? nil : $0 }
    }

    /// Of a series or histogram entry: its exemplars. A histogram's need a time of their own.
    package var exemplars: [Exemplar] {
        switch part {
        case .number: return counterExemplar.map { [$0] } ?? []
        case .bucket(let index): return histogramFields.buckets[index].exemplar.map { [$0] } ?? []
        case .native, .converted:
            let own = histogramFields.exemplars
            let all = own.isEmpty ? histogramFields.buckets.compactMap(\.exemplar) : own
            return all.filter { $0.timestamp != nil }
        case .count, .sum, .quantile, .infinity: return []
        }
    }

    // MARK: Names and keys

    /// The magic suffix of the current part.
    private var suffix: StaticString {
        switch part {
        case .count: "_count"
        case .sum: "_sum"
        case .bucket, .infinity: "_bucket"
        case .number, .quantile, .native, .converted: ""
        }
    }

    /// Makes ``key`` of the names and labels as they came.
    mutating func makeKey() {
        key.removeAll(keepingCapacity: true)
        // SAFETY: the ranges lie within the message they were read from.
        key.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[familyName]))
        key.append(contentsOf: suffix.utf8)
        for range in labelRanges {
            key.append(0xFF)
            key.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
        let bound: Double
        switch part {
        case .quantile(let index): bound = summary.quantiles[index].quantile
        case .bucket(let index): bound = histogramFields.buckets[index].upperBound
        case .infinity: bound = .infinity
        case .native, .converted:
            key.append(0xFE)  // the same labels as a number are another line
            return
        case .number, .count, .sum: return
        }
        key.append(0xFD)
        withUnsafeBytes(of: bound.bitPattern) { key.append(contentsOf: $0) }
    }

    /// Names and values have to be UTF-8 whether or not anybody asks for the labels.
    func checkLabels() throws(ParseError) {
        for range in labelRanges {
            let pair: (Range<Int>, Range<Int>)
            do throws(WireReader.Fault) { pair = try labelTexts(range) } catch { throw .protobuf("unexpected EOF") }
            let name = UnsafeRawBufferPointer(rebasing: bytes[pair.0]).assumingMemoryBound(to: UInt8.self)
            let value = UnsafeRawBufferPointer(rebasing: bytes[pair.1]).assumingMemoryBound(to: UInt8.self)
            if name.count == 0 || !UTF8Validation.isValid(name) {
                throw .exposition("invalid label name: \(decoder.text(pair.0))")
            }
            if !UTF8Validation.isValid(value) {
                throw .exposition("invalid label value: \(decoder.text(pair.1))")
            }
        }
    }

    private func labelTexts(_ range: Range<Int>) throws(WireReader.Fault) -> (Range<Int>, Range<Int>) {
        var name = range.lowerBound..<range.lowerBound
        var value = name
        var reader = WireReader(bytes, range)
        while let (number, wireType) = try reader.nextField() {
            switch (number, wireType) {
            case (1, 2): name = try reader.contents()
            case (2, 2): value = try reader.contents()
            default: try reader.skip(number, wireType)
            }
        }
        return (name, value)
    }
}
