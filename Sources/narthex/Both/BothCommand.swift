import Bridge
import Logging
import Web

#if canImport(Glibc)
import Glibc
#endif

/// `narthex` alone: gateway and server in one process, with nothing to configure.
enum BothCommand {
    static let about =
        "Push gateway and time series server for the metrics of short-lived jobs. Without a command: both, data in ./narthex-data."

    static let examples = [
        "narthex", "narthex --data=/var/lib/narthex --scrape-interval=30s --storage.tsdb.retention.time=90d",
        "narthex --config=narthex.yml --gateway.listen-address=127.0.0.1:9091",
    ]

    static let flags: [FlagTable.Flag] =
        [
            .init(
                "config",
                "One YAML file for both: a prometheus.yml, with the sections `gateway` and `server` for the flags of "
                    + "each. By default prometheus.yml in the folder of all data, which is written at the first start.",
                default: ""),
            .init("data", "Folder of all data; made if it is not there.", default: "narthex-data"),
            .init("gateway.listen-address", "Address of the gateway.", default: ":9091"),
            .init("server.listen-address", "Address of the server.", default: ":9090"),
            .init(
                "scrape-interval", "How often the gateway's groups and Narthex itself are refreshed.", default: "15s"),
            .init("storage.tsdb.retention.time", "How long samples are kept.", default: "15d"),
        ] + ServerFlags.log

    @Sendable static func run(_ flags: ParsedFlags) async -> Int32 {
        MemoryArenas.share()
        let logger = ServerFlags.logger(flags, style: .goKit)
        let folder = flags["data"]
        if mkdir(folder, 0o750) != 0 && errno != EEXIST {
            logger.error(
                "cannot make the data folder",
                metadata: ["path": "\(folder)", "err": "\(String(cString: strerror(errno)))"])
            return 1
        }
        let gateway: ParsedFlags
        let server: ParsedFlags
        do {
            (gateway, server) = try halves(flags, folder, logger)
        } catch {
            logger.error("\(error)")
            return 1
        }
        let bridge = PushBridge(now: WallClock.nanoseconds) { error in
            logger.error("pushed samples could not be stored", metadata: ["err": "\(error)"])
        }
        let jobs = jobs(gateway: gateway["web.listen-address"], server: server["web.listen-address"])
        let ports = ListeningPorts()
        return await withTaskGroup(of: Int32.self) { group in
            group.addTask {
                await ServerProcess(
                    flags: server, logger: logger, bridge: bridge, ports: ports, gatewayFlags: gateway,
                    defaultJobs: jobs
                ).run()
            }
            group.addTask { await GatewayProcess(flags: gateway, logger: logger, bridge: bridge, ports: ports).run() }
            let first = await group.next() ?? 1
            // One half without the other is no use: where one failed, the other one ends in order, too. A signal has
            // reached both, and a second one would end the process at once.
            if first != 0 {
                logger.error("one half cannot go on, as it said above; the other one ends too")
                kill(getpid(), SIGTERM)
            }
            let second = await group.next() ?? 1
            return max(first, second)
        }
    }

    /// The flags of both programs: of this command line where they are given there, else of the file, else ours.
    private static func halves(
        _ flags: ParsedFlags, _ folder: String, _ logger: Logger
    ) throws -> (gateway: ParsedFlags, server: ParsedFlags) {
        var path = flags["config"]
        var file = CombinedFile()
        if path.isEmpty {
            path = "\(folder)/prometheus.yml"
            guard writeConfiguration(flags, to: path) else {
                throw CommandLineError("cannot write \(path): \(String(cString: strerror(errno)))")
            }
        } else {
            file = try CombinedFile(path: path)
        }
        let log = ["log.level", "log.format"].map { ($0, flags[$0]) }
        let gateway = [
            ("web.listen-address", flags["gateway.listen-address"]), ("persistence.file", "\(folder)/gateway.data"),
        ]
        let server = [
            ("web.listen-address", flags["server.listen-address"]), ("storage.tsdb.path", "\(folder)/tsdb"),
            ("storage.tsdb.retention.time", flags["storage.tsdb.retention.time"]),
        ]
        let isGiven = { (name: String) in
            flags.given.contains(name)
                || name == "web.listen-address" && flags.given.contains("gateway.listen-address")
        }
        let isGivenForServer = { (name: String) in
            flags.given.contains(name) || name == "web.listen-address" && flags.given.contains("server.listen-address")
        }
        return (
            try ParsedFlags(
                merged(file.gateway, gateway + log, isGiven), table: GatewayCommand.command.table),
            try ParsedFlags(
                merged(file.server, server + log, isGivenForServer) + ["--config.file=\(path)"],
                table: ServerCommand.command.table)
        )
    }

    /// What the file says, and `ours` where it does not; what was given on the command line goes before both.
    private static func merged(
        _ file: [String], _ ours: [(name: String, value: String)], _ isGiven: (String) -> Bool
    ) -> [String] {
        func name(_ word: String) -> String { String(word.dropFirst(2).prefix { $0 != "=" }) }
        let inFile = Set(file.map(name))
        let kept = file.filter { word in !isGiven(name(word)) && name(word) != "config.file" }
        let added = ours.filter { isGiven($0.name) || !inFile.contains($0.name) }
        return kept + added.map { "--\($0.name)=\($0.value)" }
    }

    /// Writes the configuration that scrapes both halves; one that the user put there stays.
    private static func writeConfiguration(_ flags: ParsedFlags, to path: String) -> Bool {
        if access(path, F_OK) == 0 { return true }
        let jobs = jobs(gateway: flags["gateway.listen-address"], server: flags["server.listen-address"])
        let text = """
            # Written by narthex at its first start, and never again: change it as you like.
            global:
              scrape_interval: \(flags["scrape-interval"])
              scrape_native_histograms: true
            \(jobs)
            """
        guard let file = fopen(path, "wxe") else { return false }
        defer { fclose(file) }
        return fputs(text, file) >= 0
    }

    /// The jobs that scrape both halves.
    private static func jobs(gateway: String, server: String) -> String {
        """
        scrape_configs:
          - job_name: pushgateway
            honor_labels: true
            static_configs:
              - targets: ["\(target(gateway))"]
          - job_name: narthex
            static_configs:
              - targets: ["\(target(server))"]

        """
    }

    /// Where this machine reaches a listen address.
    private static func target(_ address: String) -> String { address.hasPrefix(":") ? "localhost\(address)" : address }
}
