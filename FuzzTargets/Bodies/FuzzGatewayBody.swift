import DurableFiles
import Gateway
import MetricModel
import TestSupport

/// What the fuzzer of pushes, the journal and snapshots does with an input.
package enum FuzzGatewayBody {
    /// The first byte chooses what the rest is: a persistence file (a snapshot of ours or one of Pushgateway's), a
    /// segment of the journal, effects without frames, each after its length, or pushes with a scrape after each.
    package static func run(_ input: [UInt8]) throws {
        guard let choice = input.first else { return }
        let body = Array(input.dropFirst())
        switch choice % 4 {
        case 0: try open("/data/g", body)
        case 1: try open("/data/g.journal-00000001", body)
        case 2: replay(body)
        default: try PushedScrapes.run(body)
        }
    }

    /// No content of a file may stop the start, and what was opened once is opened again the same.
    private static func open(_ path: String, _ content: [UInt8]) throws {
        let disk = SimulatedDisk()
        try? disk.makeDirectory("/data")
        disk.poke(path, content)
        let persistence = GatewayStore.Persistence(path: "/data/g", snapshotInterval: nil, fileSystem: disk)
        do {
            let store = try GatewayStore(persistence: persistence)
            let seen = look(store.scrape()) + store.metricsJSON().flatMap { $0 }
            store.close()
            let again = try GatewayStore(persistence: persistence)
            try hold(look(again.scrape()) + again.metricsJSON().flatMap { $0 } == seen)
            again.close()
        } catch StoreError.unsupportedVersion {
            return
        } catch let finding as FuzzFinding {
            throw finding
        } catch {
            throw FuzzFinding(description: "the start stops with \(error)")
        }
    }

    private static func replay(_ body: [UInt8]) {
        var state = GatewayState()
        var position = 0
        while position < body.count {
            let end = min(body.count, position + 1 + Int(body[position]) * 2)
            _ = state.replay(encoded: Array(body[(position + 1)..<end]))
            position = end
        }
        _ = look(state.scrape())
        _ = state.apply(.expire(at: .max))
        _ = look(state.scrape())
    }

    private static func look(_ scrape: Scrape) -> [UInt8] {
        for family in scrape.families { _ = family.family }
        return scrape.text(own: [], coding: .identity).bytes
    }
}
