import Logging
import Web

#if canImport(Glibc)
import Glibc
#endif

/// `narthex` alone: gateway and server in one process, with nothing to configure.
enum BothCommand {
    static let about =
        "Push gateway and time series server for the metrics of short-lived jobs. Without a command: both, data in ./narthex-data."

    static let flags: [FlagTable.Flag] =
        [
            .init("data", "Folder of all data; made if it is not there.", default: "narthex-data"),
            .init("gateway.listen-address", "Address of the gateway.", default: ":9091"),
            .init("server.listen-address", "Address of the server.", default: ":9090"),
            .init(
                "scrape-interval", "How often the gateway's groups and Narthex itself are refreshed.", default: "15s"),
            .init("storage.tsdb.retention.time", "How long samples are kept.", default: "15d"),
        ] + ServerFlags.log

    @Sendable static func run(_ flags: ParsedFlags) async -> Int32 {
        let logger = ServerFlags.logger(flags, style: .goKit)
        let folder = flags["data"]
        if mkdir(folder, 0o750) != 0 && errno != EEXIST {
            logger.error(
                "cannot make the data folder",
                metadata: ["path": "\(folder)", "err": "\(String(cString: strerror(errno)))"])
            return 1
        }
        let configuration = "\(folder)/prometheus.yml"
        guard writeConfiguration(flags, to: configuration) else {
            logger.error(
                "cannot write the configuration",
                metadata: ["path": "\(configuration)", "err": "\(String(cString: strerror(errno)))"])
            return 1
        }
        let gateway: ParsedFlags
        let server: ParsedFlags
        do throws(CommandLineError) {
            gateway = try ParsedFlags(
                [
                    "--web.listen-address=\(flags["gateway.listen-address"])",
                    "--persistence.file=\(folder)/gateway.data",
                ]
                    + log(flags), table: GatewayCommand.command.table)
            server = try ParsedFlags(
                [
                    "--web.listen-address=\(flags["server.listen-address"])", "--config.file=\(configuration)",
                    "--storage.tsdb.path=\(folder)/tsdb",
                    "--storage.tsdb.retention.time=\(flags["storage.tsdb.retention.time"])",
                ] + log(flags), table: ServerCommand.command.table)
        } catch {
            logger.error("\(error)")
            return 1
        }
        let bridge = PushBridge(logger: logger)
        return await withTaskGroup(of: Int32.self) { group in
            group.addTask { await ServerProcess(flags: server, logger: logger, bridge: bridge).run() }
            group.addTask { await GatewayProcess(flags: gateway, logger: logger, bridge: bridge).run() }
            let first = await group.next() ?? 1
            // One half without the other is no use: where one failed, the other one ends in order, too. A signal has
            // reached both, and a second one would end the process at once.
            if first != 0 { kill(getpid(), SIGTERM) }
            let second = await group.next() ?? 1
            return max(first, second)
        }
    }

    private static func log(_ flags: ParsedFlags) -> [String] {
        ["--log.level=\(flags["log.level"])", "--log.format=\(flags["log.format"])"]
    }

    /// Writes the configuration that scrapes both halves; one that the user put there stays.
    private static func writeConfiguration(_ flags: ParsedFlags, to path: String) -> Bool {
        if access(path, F_OK) == 0 { return true }
        let text = """
            # Written by narthex at its first start, and never again: change it as you like.
            global:
              scrape_interval: \(flags["scrape-interval"])
            scrape_configs:
              - job_name: pushgateway
                honor_labels: true
                static_configs:
                  - targets: ["\(target(flags["gateway.listen-address"]))"]
              - job_name: narthex
                static_configs:
                  - targets: ["\(target(flags["server.listen-address"]))"]

            """
        guard let file = fopen(path, "wxe") else { return false }
        defer { fclose(file) }
        return fputs(text, file) >= 0
    }

    /// Where this machine reaches a listen address.
    private static func target(_ address: String) -> String { address.hasPrefix(":") ? "localhost\(address)" : address }
}
