import FuzzBodies
import Testing

/// Every fuzzer's body over its corpus and over damaged copies of it, the same ones in each run.
@Suite struct FuzzCorpusTests {
    private static let blocks = Result { try FuzzCorpus(of: "FuzzBlocks") }
    private static let compression = Result { try FuzzCorpus(of: "FuzzCompression") }
    private static let exposition = Result { try FuzzCorpus(of: "FuzzExposition") }
    private static let gateway = Result { try FuzzCorpus(of: "FuzzGateway") }
    private static let promQL = Result { try FuzzCorpus(of: "FuzzPromQL") }
    private static let store = Result { try FuzzCorpus(of: "FuzzStore") }

    @Test(arguments: try blocks.get().seeds)
    func `chunks, indexes, descriptions of blocks and patterns are read or refused`(seed: FuzzCorpus.Seed) throws {
        try Self.blocks.get().replay(seed, rounds: 500, FuzzBlocksBody.run)
    }

    @Test(arguments: try compression.get().seeds)
    func `packed bytes are unpacked within the limits or refused`(seed: FuzzCorpus.Seed) throws {
        try Self.compression.get().replay(seed, rounds: 500, FuzzCompressionBody.run)
    }

    @Test(arguments: try exposition.get().seeds)
    func `metrics in text, OpenMetrics and protobuf are read or refused`(seed: FuzzCorpus.Seed) throws {
        try Self.exposition.get().replay(seed, rounds: 2_000, FuzzExpositionBody.run)
    }

    @Test(arguments: try gateway.get().seeds)
    func `the gateway starts with any file, and a second time with the same`(seed: FuzzCorpus.Seed) throws {
        try Self.gateway.get().replay(seed, rounds: 2_000, FuzzGatewayBody.run)
    }

    @Test(arguments: try promQL.get().seeds)
    func `queries and scripts are parsed and evaluated or refused`(seed: FuzzCorpus.Seed) throws {
        try Self.promQL.get().replay(seed, rounds: 500, FuzzPromQLBody.run)
    }

    @Test(arguments: try store.get().seeds)
    func `the store starts with any file, and a second time with the same`(seed: FuzzCorpus.Seed) throws {
        try Self.store.get().replay(seed, rounds: 500, FuzzStoreBody.run)
    }
}
