internal import ByteCoding
package import MetricModel

/// What the entry that was read last holds.
extension ExpositionReader {
    /// Of any entry but comments: the metric name, escapes taken out.
    package var name: ByteString {
        guard offsets.count >= 2, offsets[0] >= 0 else { return "" }
        return unescaped(offsets[0]..<offsets[1])
    }

    /// Of a help or unit entry: its text, escapes taken out; of a comment: all of it, as it is.
    package var metadataText: ByteString {
        let piece = lexer.piece(text)
        guard !isComment, piece.contains(UInt8(ascii: "\\")) else { return ByteString(copy(piece)) }
        return ByteString(ExpositionEscapes.removed(piece, quotes: lexer.dialect == .openMetrics))
    }

    /// Of a series entry: whether it is a `_created` one of a type that has such.
    package var isCreated: Bool {
        guard type == .counter || type == .summary || type == .histogram || type == .gaugeHistogram else {
            return false
        }
        return offsets[0] >= 0 && lexer.piece(offsets[0]..<offsets[1]).suffix(8).elementsEqual("_created".utf8)
    }

    /// Of a series entry: its labels as they are written, escapes taken out, without the metric name.
    package var labelPairs: [LabelPair] {
        var pairs: [LabelPair] = []
        pairs.reserveCapacity(offsets.count / 4)
        var index = 2
        while index &+ 3 < offsets.count {
            pairs.append(
                LabelPair(
                    unescaped(offsets[index]..<offsets[index &+ 1]),
                    unescaped(offsets[index &+ 2]..<offsets[index &+ 3])))
            index &+= 4
        }
        return pairs
    }

    /// Of a series entry: its labels, metric name included; bounds and quantiles in OpenMetrics' spelling, so that `1`
    /// and `1.0` are one series. Of a repeated name the last wins.
    /// - Complexity: O(bytes); several allocations.
    package var labels: Labels {
        var pairs: [(name: ByteString, value: ByteString)] = [(Labels.metricName, name)]
        for pair in labelPairs { pairs.append((pair.name, normalized(pair))) }
        return Labels(pairs)
    }

    private func normalized(_ pair: LabelPair) -> ByteString {
        let isBound = type == .summary && pair.name == "quantile" || type == .histogram && pair.name == "le"
        guard isBound, let number = FloatText.parse(pair.value.bytes, .go) else { return pair.value }
        return ByteString(FloatText.string(number, .openMetrics))
    }

    /// Of a series entry: its exemplar, or nil.
    package var exemplar: Exemplar? {
        guard hasExemplar else { return nil }
        var pairs: [(name: ByteString, value: ByteString)] = []
        var index = 0
        while index &+ 3 < exemplarOffsets.count {
            pairs.append(
                (
                    unescaped(exemplarOffsets[index]..<exemplarOffsets[index &+ 1]),
                    unescaped(exemplarOffsets[index &+ 2]..<exemplarOffsets[index &+ 3])
                ))
            index &+= 4
        }
        return Exemplar(labels: Labels(pairs), value: exemplarValue, timestamp: exemplarTimestamp)
    }

    private func unescaped(_ range: Range<Int>) -> ByteString {
        let piece = lexer.piece(range)
        guard piece.contains(UInt8(ascii: "\\")) else { return ByteString(copy(piece)) }
        return ByteString(ExpositionEscapes.removed(piece, quotes: true))
    }
}
