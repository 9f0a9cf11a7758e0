import Dispatch
import Logging
import Matching
import MetricModel
import NIOPosix
import PromQL
import Scrape
import TSDB
import Web

#if canImport(Glibc)
import Glibc
#endif

/// The running server: puts store, engine, scraping and HTTP together, and takes them down again in turn.
struct ServerProcess {
    let flags: ParsedFlags
    let logger: Logger
    /// Where pushes come from, in a process that has a gateway too.
    var bridge: PushBridge?

    /// Runs until a signal or `/-/quit` comes.
    /// - Returns: The exit code.
    func run() async -> Int32 {
        ProcessLimits.raiseOpenFiles()
        signal(SIGPIPE, SIG_IGN)
        logger.info("Starting Narthex server", metadata: ["version": "\(BuildInfo.info)"])
        do {
            let settings = try ServerSettings(flags)
            for note in settings.features.notes {
                logger.log(
                    level: note.level, "\(note.message)", metadata: note.option.map { ["option": "\($0)"] } ?? [:])
            }
            let loaded = try LoadedConfiguration(path: flags["config.file"])
            return try await run(settings, loaded)
        } catch {
            logger.error("The server cannot start", metadata: ["err": "\(error)"])
            return 2
        }
    }

    private func run(_ settings: ServerSettings, _ loaded: LoadedConfiguration) async throws -> Int32 {
        let (ends, end) = AsyncStream.makeStream(of: String.self)
        let signals = TerminationSignals {
            end.yield("Received an OS signal, exiting gracefully...")
        }
        defer { _ = signals }
        let database = try openDatabase(settings, loaded)
        bridge?.open(database)
        let manager = ScrapeManager(
            sink: DatabaseSink(database: database), features: settings.scrapeFeatures, hostName: ProcessFacts.hostName,
            logger: logger)
        let configuration = CurrentConfiguration(
            path: flags["config.file"], loaded: loaded, manager: manager, database: database, logger: logger)
        try await configuration.start()
        let api = makeAPI(settings, configuration, manager, database) {
            end.yield("Received termination request via web service, exiting gracefully...")
        }
        api.open(database)
        let reloads = ReloadSignals { _ = configuration.reload() }
        defer { _ = reloads }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: ProcessLimits.cores)
        let workers = NIOThreadPool(numberOfThreads: max(4, flags.integer("web.worker-threads")))
        workers.start()
        let server = try await listen(api, settings, group, workers)
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await manager.run() }
            tasks.addTask { await maintain(database) }
            for await reason in ends {
                logger.info("\(reason)")
                break
            }
            api.stop()
            await server.stop(grace: flags.duration("web.shutdown-timeout"))
            tasks.cancelAll()
        }
        try await workers.shutdownGracefully()
        bridge?.close()
        try database.close()
        try await group.shutdownGracefully()
        logger.info("See you next time!")
        return 0
    }

    // MARK: Parts

    private func openDatabase(_ settings: ServerSettings, _ loaded: LoadedConfiguration) throws -> Database {
        var options = settings.store
        loaded.adjust(&options)
        let logger = logger
        return try Database.open(flags["storage.tsdb.path"], options: options) { event in
            logger.info("storage", metadata: ["event": "\(event)"])
        }
    }

    private func makeAPI(
        _ settings: ServerSettings, _ configuration: CurrentConfiguration, _ manager: ScrapeManager,
        _ database: Database, quit: @escaping @Sendable () -> Void
    ) -> ServerAPI {
        let facts = ProcessFacts(retention: flags["storage.tsdb.retention.time"])
        let metrics = configuration.metrics
        let counters = APICounters()
        let process = ServerAPI.Process(
            configuration: { configuration.current.configuration.yaml },
            externalLabels: { configuration.current.configuration.global.externalLabels },
            runtimeInformation: { facts.fields(configuration.metrics.lastReload) },
            reload: { configuration.reload() }, quit: quit,
            metrics: { metrics.text(database, counters, extra: manager.families) },
            now: { ProcessFacts.now })
        return ServerAPI(
            settings: settings.api, process: process, parser: Parser(options: settings.parser),
            evaluator: EngineEvaluator(engine(settings, configuration), database),
            targets: ScrapedTargets(manager: manager, externalHost: settings.externalHost), counters: counters)
    }

    private func listen(
        _ api: ServerAPI, _ settings: ServerSettings, _ group: MultiThreadedEventLoopGroup, _ workers: NIOThreadPool
    ) async throws -> HTTPServer {
        let service = ServerService(api: api, workers: workers, routePrefix: settings.routePrefix)
        let path = flags["web.config.file"]
        let access = path.isEmpty ? nil : try WebAccess(path: path, logger: logger)
        let tls = try access.flatMap { access in try TLSReloader(access, logger: logger) }
        let server = HTTPServer(
            service: access?.guarding(service) ?? service, limits: ServerFlags.limits(flags), group: group, tls: tls)
        try await WebListeners(flags: flags, logger: logger).open(
            on: server, isTLS: tls != nil, http2: access?.config?.http2 ?? true)
        logger.info("Server is ready to receive web requests.")
        return server
    }

    /// Once a minute lets the store write blocks, compact and forget.
    private func maintain(_ database: Database) async {
        let queue = DispatchQueue(label: "narthex.store.maintenance")
        while !Task.isCancelled {
            do { try await Task.sleep(for: .seconds(60)) } catch { return }
            await withCheckedContinuation { continuation in
                queue.async {
                    do {
                        try database.maintain(now: ProcessFacts.now)
                    } catch {
                        logger.error("Maintenance of the store failed", metadata: ["err": "\(error)"])
                    }
                    continuation.resume()
                }
            }
        }
    }
}
