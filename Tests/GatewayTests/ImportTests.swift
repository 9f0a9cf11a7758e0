import DurableFiles
import Exposition
import Gateway
import MetricModel
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Files that Pushgateway itself wrote. The fixture comes from Debian's pushgateway 1.5.1, with its own `/metrics` and
/// `/api/v1/metrics` at that moment.
@Suite struct ImportTests {
    private static let fixture = PathName.join(PathName.parent(of: #filePath), "Fixtures/pushgateway-1.5.1.data")
    /// From Pushgateway 1.11.3, built from its source: native histograms as it has them since, names in UTF-8.
    private static let newer = PathName.join(PathName.parent(of: #filePath), "Fixtures/pushgateway-1.11.3.data")
    private static let path = "/data/gateway"

    private func open(_ bytes: [UInt8], _ events: EventLog = EventLog()) throws -> (GatewayStore, SimulatedDisk) {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/data")
        disk.poke(Self.path, bytes)
        let store = try GatewayStore(
            persistence: .init(
                path: Self.path, snapshotInterval: nil, fileSystem: disk, onEvent: { events.append($0) }))
        return (store, disk)
    }

    private func samples(_ text: String) -> [String] {
        text.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }.sorted()
    }

    private func scrape(_ store: GatewayStore) -> String {
        String(decoding: store.scrape().text(own: [], coding: .identity).bytes, as: UTF8.self)
    }

    @Test func `a file of Pushgateway's gives the same scrape, number by number`() throws {
        let events = EventLog()
        let (store, disk) = try open(try POSIXFileSystem().contents(Self.fixture), events)
        let expected = String(decoding: try POSIXFileSystem().contents(Self.fixture + ".txt"), as: UTF8.self)
        #expect(scrape(store) == expected)
        #expect(events.all.contains(.imported(groups: 6, keptAs: Self.path + ".pushgateway")))
        #expect(disk.peek(Self.path + ".pushgateway") == (try POSIXFileSystem().contents(Self.fixture)))
        store.close()
        let again = try GatewayStore(persistence: .init(path: Self.path, snapshotInterval: nil, fileSystem: disk))
        #expect(scrape(again) == expected)
        again.close()
    }

    @Test func `a file of 1.11.3 gives its scrape as text and protobuf, and its JSON, byte by byte`() throws {
        let real = POSIXFileSystem()
        let (store, _) = try open(try real.contents(Self.newer))
        defer { store.close() }
        #expect(scrape(store) == String(decoding: try real.contents(Self.newer + ".txt"), as: UTF8.self))
        let protobuf = store.scrape().body(own: [], format: ExpositionFormat(.protobufDelimited), coding: .identity)
        #expect(protobuf.bytes == (try real.contents(Self.newer + ".pb")))
        // The order of the groups is one of Go's maps.
        #expect(
            Set(try groups(store.metricsJSON().flatMap { $0 }))
                == Set(try groups(try real.contents(Self.newer + ".json"))))
    }

    /// The groups of an answer of `/api/v1/metrics`, told apart by how each begins.
    private func groups(_ json: [UInt8]) throws -> [Substring] {
        let text = String(decoding: json, as: UTF8.self)
        let start = "{\"status\":\"success\",\"data\":["
        try #require(text.hasPrefix(start) && text.hasSuffix("]}"))
        return text.dropFirst(start.count).dropLast(2)
            .replacing("}]}},{", with: "}]}}\u{0}{").split(separator: "\u{0}")
    }

    @Test func `native histograms survive the import`() throws {
        let (store, _) = try open(try POSIXFileSystem().contents(Self.fixture))
        defer { store.close() }
        let metric = store.group(GroupingKey(["job": "proto"]))?.families.first { $0.name == "nh" }?.metrics.first
        guard case .histogram(let histogram) = metric?.value, case .integer(let native) = histogram.native else {
            Issue.record("no native histogram")
            return
        }
        #expect(native.schema == 1 && native.zeroThreshold == 1e-128 && native.zeroCount == 2)
        #expect(native.positiveDeltas == [1, 2, -2, 3] && native.negativeDeltas == [4, 0])
        #expect(native.positiveSpans == [BucketSpan(offset: 0, length: 2), BucketSpan(offset: 1, length: 2)])
    }

    @Test func `the JSON of each group is what Pushgateway showed`() throws {
        let (store, _) = try open(try POSIXFileSystem().contents(Self.fixture))
        defer { store.close() }
        let theirs = String(decoding: try POSIXFileSystem().contents(Self.fixture + ".json"), as: UTF8.self)
        let ours = String(decoding: store.metricsJSON().flatMap { $0 }, as: UTF8.self)
        // 1.5.1 did not show the buckets of native histograms yet.
        let groups = try groups(Array(ours.utf8))
        #expect(groups.count == 6)
        for group in groups where !group.contains("\"nh\"") { #expect(theirs.contains(group), "\(group)") }
    }

    @Test func `a damaged file never stops the start, and is set aside`() throws {
        let whole = try POSIXFileSystem().contents(Self.fixture)
        var random = SeededGenerator(seed: 1)
        for round in 0..<160 {
            var bytes = whole
            if round % 2 == 0 {
                bytes.removeSubrange(Int.random(in: 1..<whole.count, using: &random)...)
            } else {
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    bytes[Int.random(in: 0..<whole.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
            }
            let events = EventLog()
            let (store, disk) = try open(bytes, events)
            _ = store.fingerprint
            store.close()
            let isKept = disk.peek(Self.path + ".pushgateway") == bytes || disk.peek(Self.path + ".damaged") == bytes
            #expect(isKept, "round \(round)")
            if round % 2 == 0 { #expect(events.all.contains { $0.isDamage }, "round \(round)") }
        }
    }

    /// `NARTHEX_IMPORTS` sets how many files are written and read.
    private static let seeds: Range<UInt64> =
        0..<(getenv("NARTHEX_IMPORTS").flatMap { UInt64(String(cString: $0)) } ?? 3)

    /// Promise D9.
    @Test(
        .enabled(if: PushgatewayProcess.isInstalled, "prometheus-pushgateway is not installed"),
        arguments: seeds)
    func `files that Debian's Pushgateway writes now give the same scrape`(seed: UInt64) throws {
        let directory = try TemporaryFolder()
        let peer = try PushgatewayProcess(persistenceFile: directory.file("p"))
        var random = SeededGenerator(seed: seed)
        for _ in 0..<30 {
            let group =
                "/metrics/job/j\(UInt8.random(in: 0..<4, using: &random))/l/\(UInt8.random(in: 0..<3, using: &random))"
            var body = ""
            for family in 0..<Int.random(in: 0..<4, using: &random) {
                body += "# HELP f\(family) text \(family)\n# TYPE f\(family) \(family % 2 == 0 ? "gauge" : "counter")\n"
                body +=
                    "f\(family){k=\"\(UInt8.random(in: 0..<3, using: &random))\"} \(Double.random(in: -1e9...1e9, using: &random))\n"
            }
            _ = try peer.client.request(Bool.random(using: &random) ? "PUT" : "POST", group, body)
        }
        let answer = try peer.client.request("GET", "/metrics").body
        peer.stop()
        let theirs = samples(answer).filter { $0.hasPrefix("f") || $0.hasPrefix("push_") }
        let store = try GatewayStore(persistence: .init(path: directory.file("p"), snapshotInterval: nil))
        defer { store.close() }
        #expect(samples(scrape(store)) == theirs)
        #expect(!theirs.isEmpty)
    }
}
