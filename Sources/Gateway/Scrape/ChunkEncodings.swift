internal import Exposition
internal import MetricModel

/// What an encoding of a chunk depends on beside its series.
struct EncodingKey: Hashable, Sendable {
    /// What the lines or messages look like.
    var kind: ExpositionFormat.Kind
    /// How names are written; `allowUTF8` where all names are legacy ones, which every scheme leaves as they are.
    var escaping: NameEscaping
    /// Series of other types are left out.
    var type: MetricType
    /// What is kept of the encoding.
    var content: Content

    enum Content: Hashable, Sendable {
        /// Lines or messages.
        case plain
        /// A run of deflate blocks.
        case deflated
        /// The number of bytes only.
        case length
    }

    /// The same encoding, kept in another way.
    func with(_ content: Content) -> EncodingKey {
        var key = self
        key.content = content
        return key
    }
}

/// The few encodings a chunk is asked for: usually one, so a list.
struct ChunkEncodings: Sendable {
    /// Beyond it the oldest is forgotten.
    private static let maximumCount = 6

    private var entries: [(key: EncodingKey, part: EncodedPart)] = []

    subscript(key: EncodingKey) -> EncodedPart? {
        get {
            for entry in entries where entry.key == key { return entry.part }
            return nil
        }
        set {
            entries.removeAll { $0.key == key }
            if let newValue { entries.append((key, newValue)) }
            if entries.count > ChunkEncodings.maximumCount { entries.removeFirst() }
        }
    }

    mutating func removeAll() {
        if !entries.isEmpty { entries = [] }
    }
}
