import FuzzBodies
import FuzzNetworkBodies
import Testing

/// The body of the fuzzer of HTTP over its corpus and over damaged copies of it, the same ones in each run.
@Suite struct FuzzHTTPCorpusTests {
    private static let corpus = Result { try FuzzCorpus(of: "FuzzHTTP") }

    @Test(arguments: try corpus.get().seeds)
    func `connections, paths and queries are understood alike or refused`(seed: FuzzCorpus.Seed) throws {
        try Self.corpus.get().replay(seed, rounds: 2_000, FuzzHTTPBody.run)
    }
}
