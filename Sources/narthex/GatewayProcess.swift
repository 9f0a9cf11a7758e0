import Bridge
import Gateway
import Logging
import NIOPosix
import Web

#if canImport(Glibc)
import Glibc
#endif

/// The running gateway: puts store, service and server together, and takes them down again in turn.
struct GatewayProcess {
    let flags: ParsedFlags
    let logger: Logger
    /// Where pushes also go, in a process that has a server too.
    var bridge: PushBridge?
    /// Where both halves of this process listen, if it has two.
    var ports: ListeningPorts?

    /// Runs until a signal or `/-/quit` comes.
    /// - Returns: The exit code.
    func run() async -> Int32 {
        ProcessLimits.raiseOpenFiles()
        signal(SIGPIPE, SIG_IGN)
        let (ends, end) = AsyncStream.makeStream(of: String.self)
        let signals = TerminationSignals {
            end.yield("received SIGINT/SIGTERM; exiting gracefully...")
        }
        defer { _ = signals }
        logger.info("starting narthex gateway", metadata: ["version": "\(BuildInfo.info)"])
        let group = MultiThreadedEventLoopGroup(numberOfThreads: ProcessLimits.cores)
        let workers = NIOThreadPool(numberOfThreads: max(2, ProcessLimits.cores))
        workers.start()
        // What a failure keeps from happening; upstream's words once sockets are to be opened.
        var failure: Logger.Message = "The gateway cannot start"
        do {
            let store = try openStore()
            bridge?.open(from: store)
            // Whatever ends the process from here on, what was acknowledged is on disk, and a snapshot is left.
            defer { store.close() }
            let policies = try path("gateway.policy-file").map { try PolicyBook(path: $0, logger: logger) }
            policies?.assignQuotas(in: store)
            let service = GatewayService(
                store: store, settings: settings, metrics: GatewayMetrics(), logger: logger, workers: workers,
                policies: policies,
                onQuit: { end.yield("received termination request via web service, exiting gracefully...") })
            let rights = try path("gateway.access-file").map { path in
                try AccessGuard(path: path, guarding: service, logger: logger)
            }
            let files = WatchedFiles(policies: policies, access: rights, store: store, workers: workers)
            failure = "HTTP server stopped"
            let (server, opened) = try await WebListeners(flags: flags, logger: logger).serve(
                rights ?? service, on: group, prepare: service.attach)
            ports?.gateway = opened.first
            await withDiscardingTaskGroup { group in
                group.addTask { await ExpiryTimer(store: store, workers: workers).run() }
                group.addTask { await files.run() }
                for await reason in ends {
                    logger.info("\(reason)")
                    break
                }
                group.cancelAll()
            }
            service.endStreams()
            await server.stop(grace: flags.duration("web.shutdown-timeout"))
            logger.info("HTTP server stopped")
            return 0
        } catch {
            logger.error(failure, metadata: ["err": "\(error)"])
            return 1
        }
    }

    /// The file that a flag names, if it names one.
    private func path(_ flag: String) -> String? { flags[flag].isEmpty ? nil : flags[flag] }

    private func openStore() throws -> GatewayStore {
        let path = flags["persistence.file"]
        guard !path.isEmpty else { return GatewayStore(options: storeOptions) }
        let persistence = GatewayStore.Persistence(
            path: path, snapshotInterval: flags.duration("persistence.interval"),
            onEvent: { [logger] event in StoreLog.write(event, to: logger) })
        return try GatewayStore(options: storeOptions, persistence: persistence)
    }

    private var storeOptions: GatewayStore.Options {
        let groups = flags.integer("push.max-groups")
        // What is not exposed beside pushed metrics cannot clash with them.
        let isTogether = flags["web.own-metrics"] == GatewaySettings.OwnMetrics.together.rawValue
        var options = GatewayStore.Options(
            ownFamilies: isTogether ? GatewayService.reservedFamilies : [],
            maximumGroups: groups > 0 ? groups : .max, observer: bridge)
        options.remembered.maximumCount = max(0, flags.integer("push.idempotency-keys"))
        options.remembered.maximumAge = flags.duration("push.idempotency-age")
        return options
    }

    private var settings: GatewaySettings {
        var settings = GatewaySettings()
        settings.telemetryPath = flags["web.telemetry-path"]
        settings.routePrefix = GatewaySettings.prefix(flags["web.route-prefix"], externalURL: flags["web.external-url"])
        settings.externalPrefix = GatewaySettings.prefix("", externalURL: flags["web.external-url"])
        settings.enablesLifecycle = flags.isOn("web.enable-lifecycle")
        settings.enablesAdminAPI = flags.isOn("web.enable-admin-api")
        settings.checksConsistency = !flags.isOn("push.disable-consistency-check")
        settings.failsOnConflicts = !settings.checksConsistency && flags["web.scrape-conflicts"] == "fail"
        settings.allowsUTF8Names = flags.isOn("push.enable-utf8-names")
        settings.acceptsOpenMetrics = flags.isOn("push.enable-openmetrics")
        settings.offersOpenMetrics = flags.isOn("web.enable-openmetrics")
        settings.isLenient = flags.isOn("push.lenient")
        settings.servesGroups = flags.isOn("push.enable-get")
        settings.ownMetrics = .init(rawValue: flags["web.own-metrics"]) ?? .together
        settings.maximumWatchers = max(0, flags.integer("web.max-watchers"))
        settings.allowedOrigins = flags.all("web.allowed-origin")
        settings.limits.bodyBytes = flags.bytes("push.max-body-size")
        settings.limits.decodedBytes = flags.bytes("push.max-decoded-size")
        settings.limits.expansion = max(1, flags.integer("push.max-compression-ratio"))
        settings.limits.groupLabels = flags.integer("push.max-labels")
        settings.limits.metrics.maximumSamples = flags.integer("push.max-series")
        settings.limits.metrics.maximumFamilies = flags.integer("push.max-families")
        settings.limits.metrics.maximumLabels = flags.integer("push.max-labels")
        settings.limits.metrics.maximumNameLength = flags.bytes("push.max-name-length")
        settings.limits.metrics.maximumLabelValueLength = flags.bytes("push.max-value-length")
        // The prefix as it is used, which upstream shows too.
        settings.flags = flags.listing.map { $0.name == "web.route-prefix" ? ($0.name, settings.routePrefix) : $0 }
        if let ports { settings.queryPort = { ports.server } }
        return settings
    }
}

/// What happens to the store's files, as lines of the log.
enum StoreLog {
    static func write(_ event: StoreEvent, to logger: Logger) {
        switch event {
        case .recovered, .imported, .spaceReturned: logger.info("persistence", metadata: ["event": "\(event)"])
        case .damaged, .tornTail, .missing: logger.warning("persistence", metadata: ["event": "\(event)"])
        case .snapshotWritten: logger.debug("persistence", metadata: ["event": "\(event)"])
        case .snapshotFailed, .spaceExhausted, .failed: logger.error("persistence", metadata: ["event": "\(event)"])
        }
    }
}

/// What the system grants this process.
enum ProcessLimits {
    /// Processors that may be used.
    static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// Raises the number of files that may be open to what is allowed at most, as Go programs do.
    static func raiseOpenFiles() {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(7), &limits) == 0, limits.rlim_cur < limits.rlim_max else { return }
        limits.rlim_cur = limits.rlim_max
        _ = setrlimit(__rlimit_resource_t(7), &limits)
    }
}
