import DurableFiles
import Exposition
import Gateway
import MetricModel
import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#endif

/// Promise D7: readers see a push, or an atomic batch, whole or not at all, however they and the writers take turns.
@Suite struct InterleavingTests {
    /// A scrape that was taken and is encoded later, and what it must then say.
    private struct Held {
        let scrape: Scrape
        let kind: ExpositionFormat.Kind
        let expected: [UInt8]
    }

    private static let formats: [ExpositionFormat.Kind] = [.text, .protobufDelimited]

    private func body(_ scrape: Scrape, _ kind: ExpositionFormat.Kind) -> [UInt8] {
        scrape.body(own: [], format: ExpositionFormat(kind), coding: .identity).bytes
    }

    /// `NARTHEX_INTERLEAVINGS` sets how many schedules of 400 turns are tried.
    private static let schedules: Range<UInt64> =
        0..<(getenv("NARTHEX_INTERLEAVINGS").flatMap { UInt64(String(cString: $0)) } ?? 24)

    @Test(arguments: schedules) func `a scrape shows the moment it was taken, whatever comes later`(seed: UInt64) {
        let store = GatewayStore()
        // Sees the same commands, and nobody holds on to what it shows.
        let twin = GatewayStore()
        var generator = CommandGenerator(seed: seed, check: seed % 3 == 0 ? .none : .consistency)
        var held: [Held] = []
        for _ in 0..<400 {
            switch Int.random(in: 0..<8, using: &generator.random) {
            case 0, 1:
                let kind = generator.pick(Self.formats)
                held.append(Held(scrape: store.scrape(), kind: kind, expected: body(twin.scrape(), kind)))
                if held.count > 5 || Bool.random(using: &generator.random) {
                    let oldest = held.removeFirst()
                    #expect(body(oldest.scrape, oldest.kind) == oldest.expected)
                }
            case 2:
                let batch = Command.batch(
                    (0..<3).map { _ in
                        Push(
                            group: generator.group(), families: generator.families(), mode: .replaceFamilies,
                            check: generator.check, time: generator.time)
                    }, isAtomic: true)
                #expect(store.run(batch) == twin.run(batch))
            default:
                let command = generator.next()
                #expect(store.run(command) == twin.run(command))
            }
        }
        for one in held { #expect(body(one.scrape, one.kind) == one.expected) }
        #expect(store.fingerprint == twin.fingerprint)
    }

    @Test func `threads that scrape never see half of what others push`() throws {
        let store = GatewayStore()
        let isDone = Mutex(false)
        let writers = try (0..<2).map { writer in
            try WorkerThread(name: "writer") {
                for round in 1...1500 {
                    let pushes = (0..<3).map { group in
                        Push(
                            group: GroupingKey(["job": "\(writer)", "part": "\(group)"]),
                            families: ["x", "y"].map { name in
                                MetricFamily(
                                    name: name, type: .gauge,
                                    metrics: (0..<2).map {
                                        Metric(
                                            labels: [LabelPair("n", ByteString("\($0)"))], value: .gauge(Double(round)))
                                    })
                            }, mode: round % 2 == 0 ? .replaceGroup : .replaceFamilies, time: Int64(round))
                    }
                    store.submit(.batch(pushes, isAtomic: true)) { #expect($0 == .accepted) }
                    if round % 50 == 0 { store.submit(.wipe) { _ in } }
                }
            }
        }
        let reader = try WorkerThread(name: "reader") {
            while !isDone.withLock({ $0 }) {
                let text = String(decoding: store.scrape().text(own: [], coding: .identity).bytes, as: UTF8.self)
                for writer in 0..<2 {
                    let values = text.split(separator: "\n")
                        .filter { ($0.hasPrefix("x{") || $0.hasPrefix("y{")) && $0.contains("job=\"\(writer)\"") }
                        .compactMap { $0.split(separator: " ").last }
                    #expect(values.isEmpty || (values.count == 12 && Set(values).count == 1))
                }
            }
        }
        for writer in writers { writer.join() }
        isDone.withLock { $0 = true }
        reader.join()
    }
}
