import Bridge
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
///
/// As Prometheus does, it listens first and opens the store then: while the log is replayed, questions about data are
/// answered with 503, and `/api/v1/status/walreplay` shows how far it is.
struct ServerProcess {
    let flags: ParsedFlags
    let logger: Logger
    /// Where pushes come from, in a process that has a gateway too.
    var bridge: PushBridge?
    /// Where both halves of this process listen, if it has two.
    var ports: ListeningPorts?
    /// The flags of the gateway in this process, if it has one.
    var gatewayFlags: ParsedFlags?
    /// What is scraped where the configuration names no jobs.
    var defaultJobs: String?

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
            for warning in settings.warnings { logger.warning("\(warning)") }
            let configuration = CurrentConfiguration(
                path: flags["config.file"], defaultJobs: defaultJobs, defaults: settings.configurationDefaults,
                logger: logger, maximumConcurrency: settings.maximumConcurrency,
                floatEncoding: settings.store.floatEncoding)
            let loaded = try configuration.load()
            return try await run(settings, configuration, loaded)
        } catch {
            logger.error("The server cannot start", metadata: ["err": "\(error)"])
            return 2
        }
    }

    /// What the running server waits for.
    private enum Event: Sendable {
        case end(String)
        case opened(Result<Database, StoreError>)
    }

    private func run(
        _ settings: ServerSettings, _ configuration: CurrentConfiguration, _ loaded: LoadedConfiguration
    ) async throws -> Int32 {
        let (events, event) = AsyncStream.makeStream(of: Event.self)
        let signals = TerminationSignals {
            event.yield(.end("Received an OS signal, exiting gracefully..."))
        }
        defer { _ = signals }
        let parts = ServerParts(
            settings: settings, configuration: configuration, flags: flags, logger: logger, bridge: bridge,
            ports: ports,
            gatewayFlags: gatewayFlags)
        let api = parts.makeAPI {
            event.yield(.end("Received termination request via web service, exiting gracefully..."))
        }
        configuration.notify(api.notifications)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: ProcessLimits.cores)
        let workers = NIOThreadPool(numberOfThreads: max(4, flags.integer("web.worker-threads")))
        workers.start()
        let server = try await listen(api, settings, configuration, group, workers)
        open(parts, settings, loaded) { event.yield(.opened($0)) }
        var opened: Result<Database, StoreError>?
        for await event in events {
            switch event {
            case .end(let reason): logger.info("\(reason)")
            case .opened(let result): opened = result
            }
            break
        }
        guard let database = try opened?.get() else {
            // Nothing was written: what the replay had read so far is read again at the next start.
            await server.stop(grace: .zero)
            return 0
        }
        try await configuration.start(loaded, parts.manager, database)
        parts.follow(database, loaded)
        api.open(database)
        logger.info("Server is ready to receive web requests.")
        let reloads = ReloadSignals { _ = configuration.reload() }
        defer { _ = reloads }
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await parts.manager.run() }
            tasks.addTask { await maintain(database) }
            tasks.addTask { await parts.refreshPushed() }
            tasks.addTask { await parts.watchConfiguration() }
            for await event in events {
                guard case .end(let reason) = event else { continue }
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

    /// Opens the store on a thread of its own.
    private func open(
        _ parts: ServerParts, _ settings: ServerSettings, _ loaded: LoadedConfiguration,
        _ completion: @escaping @Sendable (Result<Database, StoreError>) -> Void
    ) {
        let (path, chosen) = (flags["storage.tsdb.path"], settings.storeOptions(loaded))
        let (logger, progress) = (logger, parts.replay)
        DispatchQueue(label: "narthex.store.open").async {
            do throws(StoreError) {
                let database = try Database.open(path, options: chosen) { event in
                    if progress.note(event) { return }
                    StoreEventLog.write(event, to: logger)
                }
                completion(.success(database))
            } catch {
                completion(.failure(error))
            }
        }
    }

    private func listen(
        _ api: ServerAPI, _ settings: ServerSettings, _ configuration: CurrentConfiguration,
        _ group: MultiThreadedEventLoopGroup, _ workers: NIOThreadPool
    ) async throws -> HTTPServer {
        let service = ServerService(
            api: api, workers: workers, routePrefix: settings.routePrefix, meter: configuration.metrics.requests)
        let (server, opened) = try await WebListeners(flags: flags, logger: logger).serve(
            service, on: group, prepare: configuration.metrics.watch)
        ports?.server = opened.first
        return server
    }

    /// Once a minute lets the store write blocks, compact and forget.
    private func maintain(_ database: Database) async {
        let queue = DispatchQueue(label: "narthex.store.maintenance")
        let interval = flags.duration("storage.tsdb.block-reload-interval")
        while !Task.isCancelled {
            do { try await Task.sleep(for: max(.seconds(1), interval)) } catch { return }
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
