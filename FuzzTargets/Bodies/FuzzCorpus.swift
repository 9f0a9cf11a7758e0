package import DurableFiles
import TestSupport

/// The inputs that a fuzzer starts from, and small damages to them that follow from a seed: what `swift test` runs of a
/// fuzzer without libFuzzer.
package struct FuzzCorpus: Sendable {
    /// One input.
    package struct Seed: Sendable, CustomStringConvertible {
        /// Its file's name.
        package let description: String
        /// What it holds.
        package let bytes: [UInt8]
    }

    /// In the order of their names.
    package let seeds: [Seed]

    /// Reads the folder `Corpus` of the fuzzer `name`.
    /// - Throws: ``FileError`` if it cannot be read.
    package init(of name: String) throws(FileError) {
        let targets = PathName.parent(of: PathName.parent(of: #filePath))
        let folder = PathName.join(PathName.join(targets, name), "Corpus")
        let disk = POSIXFileSystem()
        var seeds: [Seed] = []
        for name in try disk.list(folder).sorted() {
            seeds.append(Seed(description: name, bytes: try disk.contents(PathName.join(folder, name))))
        }
        self.seeds = seeds
    }

    /// Calls `run` with `seed` and then with damaged copies of it, of which there are in all about `rounds` over the
    /// whole corpus, but at least one of each seed.
    ///
    /// The copies follow from the corpus, the seed's name and `rounds`.
    /// - Throws: what `run` throws, with the input in base 16 as far as it is short.
    package func replay(_ seed: Seed, rounds: Int, _ run: ([UInt8]) throws -> Void) throws {
        try Self.tell(seed.bytes, run)
        var random = SeededGenerator(
            seed: seed.description.utf8.reduce(0xCBF2) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
        for _ in 0..<max(1, rounds / max(1, seeds.count)) {
            try Self.tell(damaged(seed.bytes, &random), run)
        }
    }

    private static func tell(_ input: [UInt8], _ run: ([UInt8]) throws -> Void) throws {
        do {
            try run(input)
        } catch {
            let shown = input.prefix(2_000).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            throw FuzzFinding(description: "\(error), for \(input.count) bytes \(shown)")
        }
    }

    /// A copy with one to four damages. The first byte, which chooses the parser, mostly stays.
    private func damaged(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var result = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let lowest = Int.random(in: 0..<16, using: &random) == 0 ? 0 : min(1, result.count)
            let position = Int.random(in: lowest...result.count, using: &random)
            let end = min(result.count, position + Int.random(in: 1...16, using: &random))
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1:
                if position < result.count { result[position] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
            case 2:
                if position < result.count { result[position] = Self.awkward.randomElement(using: &random) ?? 0 }
            case 3: result.removeSubrange(position..<end)
            case 4: result.removeSubrange(position...)
            case 5: result.insert(contentsOf: result[position..<end], at: position)
            case 6:
                result.insert(Self.awkward.randomElement(using: &random) ?? 0, at: position)
            default: splice(&result, at: position, &random)
            }
        }
        return result
    }

    /// The rest is another seed's.
    private func splice(_ bytes: inout [UInt8], at position: Int, _ random: inout SeededGenerator) {
        guard let other = seeds.randomElement(using: &random)?.bytes else { return }
        let start = Int.random(in: 0...other.count, using: &random)
        bytes.replaceSubrange(position..., with: other[start...].prefix(1 << 16))
    }

    /// Bytes at which formats turn: the largest and smallest numbers, continuation bits, quotes, ends of lines.
    private static let awkward: [UInt8] =
        [0, 1, 0x7F, 0x80, 0x81, 0xC3, 0xFE, 0xFF] + Array("\n\r\t \"\\{}()[],=#:%/@.-+019eNI".utf8)
}
