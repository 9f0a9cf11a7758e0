import DurableFiles
import Matching
import MetricModel
import TSDB
import TestSupport

/// What the fuzzer of blocks and their indexes does with an input.
package enum FuzzBlocksBody {
    /// The first byte chooses the reader: a chunk of some encoding, an index, meta.json, or a pattern and its texts.
    package static func run(_ input: [UInt8]) throws {
        guard let choice = input.first else { return }
        let body = Array(input.dropFirst())
        switch choice % 9 {
        case 0..<6:
            guard let encoding = ChunkEncoding(rawValue: choice % 9 + 1) else { return }
            var columns = SampleColumns()
            try? Chunk(encoding: encoding, bytes: body).decode(into: &columns)
            body.withUnsafeBytes { _ = try? ChunkDecoder.samples(encoding, $0) }
            try hold(columns.timestamps.count == columns.values.count)
        case 6: readIndex(body)
        case 7: _ = try? BlockMeta(json: body, path: "meta.json")
        default: try match(body)
        }
    }

    private static func readIndex(_ bytes: [UInt8]) {
        guard let index = try? IndexReader(MappedFile(path: "index", copying: bytes)) else { return }
        guard let all = try? index.allPostings().numbers else { return }
        for number in all.prefix(100) { _ = try? index.series(number) }
        for name in (try? index.labelNames()) ?? [] { _ = try? index.labelValues(of: name, []) }
    }

    /// A pattern and a text, parted by a zero byte: fast paths must agree with RE2.
    private static func match(_ bytes: [UInt8]) throws {
        let parts = bytes.split(separator: 0, maxSplits: 1)
        guard parts.count == 2, let expression = try? RegularExpression(ByteString(Array(parts[0]))) else { return }
        let text = ByteString(Array(parts[1]))
        guard text.isValidUTF8 else { return }
        let expected = text.bytes.withUnsafeBytes { expression.matchesByAutomaton($0) }
        try hold(expression.matches(text) == expected)
    }
}
