import DurableFiles
import MetricModel
import Scrape
import Web
import YAML

/// The file that `narthex --config` reads: a `prometheus.yml` with two more sections, `gateway` and `server`, that hold
/// the flags of each program by their names.
struct CombinedFile {
    /// The keys that are not Prometheus'.
    static let sections: Set<String> = ["gateway", "server"]

    /// As they would stand on the command line.
    private(set) var gateway: [String] = []
    private(set) var server: [String] = []

    /// Nothing.
    init() {}

    /// Reads the two sections of the file at `path`; the others are read with the configuration.
    /// - Throws: What is wrong with them.
    init(path: String) throws {
        let text = try SmallFile.read(path)
        do throws(YAMLError) {
            self = try YAMLDecoder.decode(text, empty: CombinedFile()) { node, decoder throws(YAMLError) in
                var file = CombinedFile()
                try decoder.fields(of: node, type: "narthex.Config") { key, value throws(YAMLError) in
                    switch key {
                    case "gateway": file.gateway = try Self.flags(value, "gateway", decoder)
                    case "server": file.server = try Self.flags(value, "server", decoder)
                    default: break
                    }
                    return true
                }
                return file
            }
        } catch {
            throw CommandLineError("parsing YAML file \(path): \(error)")
        }
    }

    private static func flags(
        _ node: YAMLNode, _ section: String, _ decoder: YAMLDecoder
    ) throws(YAMLError) -> [String] {
        let table = section == "gateway" ? GatewayCommand.command.table : ServerCommand.command.table
        var words: [String] = []
        try decoder.fields(of: node, type: "narthex.\(section)") { key, value throws(YAMLError) in
            guard let (flag, _) = table.flag(key) else { return false }
            if flag.isToggle {
                words.append(decoder.boolean(value) ? "--\(flag.name)" : "--no-\(flag.name)")
            } else {
                var texts: [String] = []
                if flag.isRepeatable, case .sequence = value.content {
                    texts = try decoder.strings(value)
                } else {
                    texts = [try decoder.string(value)]
                }
                words += texts.map { "--\(flag.name)=\($0)" }
            }
            return true
        }
        return words
    }
}
