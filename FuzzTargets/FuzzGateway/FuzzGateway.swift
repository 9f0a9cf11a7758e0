import DurableFiles
import FuzzDriver
import Gateway
import MetricModel
import TestSupport

@main struct FuzzGateway {
    static func main() { FuzzDriver.fuzz(run) }

    /// The first byte chooses what the rest is: a persistence file (a snapshot of ours or one of Pushgateway's), a
    /// segment of the journal, or effects without frames, each after its length.
    static func run(_ input: [UInt8]) {
        guard let choice = input.first else { return }
        let body = Array(input.dropFirst())
        switch choice % 3 {
        case 0: open("/data/g", body)
        case 1: open("/data/g.journal-00000001", body)
        default: replay(body)
        }
    }

    /// No content of a file may stop the start, and what was opened once is opened again the same.
    private static func open(_ path: String, _ content: [UInt8]) {
        let disk = SimulatedDisk()
        try? disk.makeDirectory("/data")
        disk.poke(path, content)
        let persistence = GatewayStore.Persistence(path: "/data/g", snapshotInterval: nil, fileSystem: disk)
        do {
            let store = try GatewayStore(persistence: persistence)
            let seen = look(store.scrape()) + store.metricsJSON().flatMap { $0 }
            store.close()
            let again = try GatewayStore(persistence: persistence)
            precondition(look(again.scrape()) + again.metricsJSON().flatMap { $0 } == seen)
            again.close()
        } catch StoreError.unsupportedVersion {
            return
        } catch {
            preconditionFailure("\(error)")
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
