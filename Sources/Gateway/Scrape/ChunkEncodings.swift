internal import MetricModel

/// What an encoding of a chunk depends on beside its series.
struct EncodingKey: Hashable, Sendable {
    /// What the lines or messages look like.
    var layout: Layout
    /// Whether the bytes are a run of deflate blocks.
    var isDeflated: Bool
    /// Series of other types are left out.
    var type: MetricType

    enum Layout: UInt8, Sendable, Hashable {
        /// Text 0.0.4 of names that need neither quotes nor escaping: the same in every escaping scheme.
        case text
        /// The metrics of a protobuf message, the same in every escaping scheme.
        case protobuf
    }
}

/// The few encodings a chunk is asked for: usually one, so a list.
struct ChunkEncodings: Sendable {
    private var entries: [(key: EncodingKey, part: EncodedPart)] = []

    subscript(key: EncodingKey) -> EncodedPart? {
        get {
            for entry in entries where entry.key == key { return entry.part }
            return nil
        }
        set {
            entries.removeAll { $0.key == key }
            if let newValue { entries.append((key, newValue)) }
        }
    }

    mutating func removeAll() {
        if !entries.isEmpty { entries = [] }
    }
}
