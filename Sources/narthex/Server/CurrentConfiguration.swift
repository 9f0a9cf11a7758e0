import Logging
import MetricModel
import Scrape
import Synchronization
import TSDB
import Web

/// A configuration file that was read and understood, with all jobs it names.
struct LoadedConfiguration: Sendable {
    let configuration: Configuration
    let jobs: [ScrapeConfiguration]

    /// Reads the file at `path`.
    /// - Throws: What is wrong with it.
    init(path: String) throws(ConfigurationError) {
        configuration = try Configuration.load(path)
        jobs = try configuration.allScrapeConfigurations()
    }

    /// Takes over what the file says about the store.
    func adjust(_ options: inout Database.Options) {
        let storage = configuration.storage
        options.outOfOrderWindow = storage.outOfOrderTimeWindow.milliseconds
        options.staleSeriesThreshold = storage.staleSeriesCompactionThreshold
        if storage.retention.time.milliseconds > 0 { options.retention = storage.retention.time.milliseconds }
        if storage.retention.size.bytes > 0 { options.maximumBytes = Int64(clamping: storage.retention.size.bytes) }
        if storage.retention.percentage > 0 { options.maximumDiskPercentage = storage.retention.percentage }
        if let exemplars = storage.maximumExemplars, options.maximumExemplars > 0 {
            options.maximumExemplars = Int(clamping: exemplars)
        }
    }
}

/// The configuration that is in force, and how it is read again: a bad file leaves the old one in force.
final class CurrentConfiguration: Sendable {
    let metrics = ServerMetrics()
    private let path: String
    private let manager: ScrapeManager
    private let database: Database
    private let logger: Logger
    private let state: Mutex<LoadedConfiguration>
    /// One reading at a time.
    private let reloading = Mutex<Void>(())

    init(path: String, loaded: LoadedConfiguration, manager: ScrapeManager, database: Database, logger: Logger) {
        self.path = path
        self.manager = manager
        self.database = database
        self.logger = logger
        state = Mutex(loaded)
    }

    /// The configuration in force.
    var current: LoadedConfiguration { state.withLock { $0 } }

    /// Puts the configuration that was loaded first in force.
    func start() async throws {
        let loaded = current
        for warning in loaded.configuration.warnings { logger.warning("\(warning)") }
        try await manager.apply(loaded.jobs, externalLabels: loaded.configuration.global.externalLabels)
        metrics.noteReload(succeeded: true, at: ProcessFacts.now)
    }

    /// Reads the file again and puts it in force; from a thread that may wait.
    /// - Returns: What is wrong with it, or nil.
    func reload() -> String? {
        reloading.withLock { _ in
            logger.info("Loading configuration file", metadata: ["filename": "\(path)"])
            do {
                try apply(try LoadedConfiguration(path: path))
                metrics.noteReload(succeeded: true, at: ProcessFacts.now)
                logger.info("Completed loading of configuration file", metadata: ["filename": "\(path)"])
                return nil
            } catch {
                metrics.noteReload(succeeded: false, at: ProcessFacts.now)
                logger.error("Error reloading config", metadata: ["err": "\(error)"])
                return "\(error)"
            }
        }
    }

    private func apply(_ loaded: LoadedConfiguration) throws {
        let manager = manager
        let outcome: Result<Void, any Error> = waiting {
            do {
                try await manager.apply(loaded.jobs, externalLabels: loaded.configuration.global.externalLabels)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
        try database.update { loaded.adjust(&$0) }
        state.withLock { $0 = loaded }
    }
}
