import Scrape
import TSDB
import Web

extension ServerSettings {
    /// Flags and values for `/api/v1/status/flags`: as upstream writes them, with what follows from other flags filled in.
    func listing(_ flags: ParsedFlags) -> [(name: String, value: String)] {
        let listed = Dictionary(ServerCommand.flags.map { ($0.name, $0) }) { first, _ in first }
        return flags.listing.map { name, value in (name, derived(name) ?? Self.shown(value, listed[name]?.kind)) }
    }

    /// What a flag comes to where nothing was given; nil if its value is what it says.
    private func derived(_ name: String) -> String? {
        switch name {
        case "web.route-prefix": routePrefix
        case "storage.tsdb.retention.time": PrometheusDuration(milliseconds: store.retention).description
        case "storage.tsdb.max-block-duration":
            PrometheusDuration(milliseconds: blockDuration(retention: store.retention)).description
        case "web.remote-write-receiver.accepted-protobuf-messages":
            RemoteWriteMessage.allCases.filter(api.acceptedMessages.contains).map(\.rawValue).joined(separator: ",")
        default: nil
        }
    }

    private static func shown(_ value: String, _ kind: FlagTable.Kind?) -> String {
        switch kind {
        case .duration:
            guard let duration = GoDuration(value)?.duration else { return value }
            let milliseconds = duration / .milliseconds(1)
            return PrometheusDuration(milliseconds: Int64(milliseconds)).description
        case .bytes: return Web.ByteSize(value).map { Scrape.ByteSize(bytes: Int64($0.bytes)).description } ?? value
        default: return value
        }
    }
}
