internal import MetricModel

/// How outcomes that are remembered are written down.
enum OutcomeCoding {
    private static let maximumDepth = 4

    static func append(_ outcome: Outcome, to writer: inout PackedWriter) {
        switch outcome {
        case .accepted: writer.byte(0)
        case .refused(.inconsistent(let text)):
            writer.byte(1)
            writer.text(ByteString(text))
        case .each(let outcomes):
            writer.byte(2)
            writer.count(outcomes.count)
            for one in outcomes { append(one, to: &writer) }
        case .refused(let refusal):
            // Within a batch, a refusal by a limit is part of the answer.
            writer.byte(3)
            writer.text(ByteString(refusal.description))
        case .repeated(let outcome): append(outcome, to: &writer)
        }
    }

    static func read(_ reader: inout PackedReader, depth: Int = 0) throws(MalformedBytes) -> Outcome {
        guard depth < maximumDepth else { throw MalformedBytes() }
        switch try reader.byte() {
        case 0: return .accepted
        case 1: return .refused(.inconsistent(try reader.text().string))
        case 2:
            var outcomes: [Outcome] = []
            for _ in 0..<(try reader.count()) { outcomes.append(try read(&reader, depth: depth + 1)) }
            return .each(outcomes)
        case 3: return .refused(.limit(try reader.text().string))
        default: throw MalformedBytes()
        }
    }
}
