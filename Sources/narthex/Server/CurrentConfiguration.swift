import Dispatch
import Logging
import MetricModel
import Scrape
import Synchronization
import TSDB
import Web
import YAML

/// A configuration file that was read and understood, with all jobs it names.
struct LoadedConfiguration: Sendable {
    let configuration: Configuration
    let jobs: [ScrapeConfiguration]

    /// Nothing configured.
    init() {
        configuration = Configuration()
        jobs = []
    }

    /// Reads the file at `path`.
    /// - Parameters:
    ///   - path: Of a `prometheus.yml`.
    ///   - defaultJobs: YAML of the jobs where the file names none; the file may then hold the sections of
    ///     ``CombinedFile``, too.
    ///   - defaults: Of the global section.
    /// - Throws: What is wrong with it.
    init(
        path: String, defaultJobs: String? = nil,
        defaults: GlobalConfiguration.Defaults = GlobalConfiguration.Defaults()
    ) throws(ConfigurationError) {
        let ignored = defaultJobs == nil ? [] : CombinedFile.sections
        var configuration = try Configuration.load(path, ignoring: ignored, defaults: defaults)
        if let defaultJobs, configuration.scrapeConfigurations.isEmpty, configuration.scrapeConfigurationFiles.isEmpty {
            do throws(YAMLError) {
                configuration.scrapeConfigurations = try configuration.additionalScrapeConfigurations(
                    Array(defaultJobs.utf8))
            } catch {
                throw .invalid(path: path, error)
            }
        }
        self.configuration = configuration
        jobs = try configuration.allScrapeConfigurations()
    }

    /// Takes over what the file says about the store.
    /// - Parameter floatEncoding: What the flags say, where the file says nothing.
    func adjust(_ options: inout Database.Options, floatEncoding: FloatEncoding) {
        let storage = configuration.storage
        options.floatEncoding = FloatEncoding(rawValue: storage.floatChunkEncoding) ?? floatEncoding
        options.outOfOrderWindow = storage.outOfOrderTimeWindow.milliseconds
        options.staleSeriesThreshold = storage.staleSeriesCompactionThreshold
        options.retention = storage.retention.time.milliseconds
        options.maximumBytes = storage.retention.size.bytes
        options.maximumDiskPercentage = storage.retention.percentage
        if let exemplars = storage.maximumExemplars, options.maximumExemplars > 0 {
            options.maximumExemplars = Int(clamping: exemplars)
        }
    }
}

/// The configuration that is in force, and how it is read again: a bad file leaves the old one in force.
final class CurrentConfiguration: Sendable {
    let metrics: ServerMetrics
    private let path: String
    private let defaultJobs: String?
    /// How the flags want numbers coded, where the file says nothing.
    private let floatEncoding: FloatEncoding
    private let defaults: GlobalConfiguration.Defaults
    private let logger: Logger
    private let state: Mutex<State>
    /// One reading at a time.
    private let reloading = Mutex<Void>(())
    /// Open once the first configuration is in force: who asks for another waits for that.
    private let started = DispatchGroup()

    private struct State {
        var loaded: LoadedConfiguration
        var manager: ScrapeManager?
        var database: Database?
    }

    /// Where the operator is told that reading failed.
    private let notifications = Mutex<NotificationCenter?>(nil)

    /// A configuration that was not read yet.
    init(
        path: String, defaultJobs: String?, defaults: GlobalConfiguration.Defaults, logger: Logger,
        maximumConcurrency: Int, floatEncoding: FloatEncoding
    ) {
        self.path = path
        self.floatEncoding = floatEncoding
        self.defaultJobs = defaultJobs
        self.defaults = defaults
        self.logger = logger
        metrics = ServerMetrics(maximumConcurrency: maximumConcurrency)
        state = Mutex(State(loaded: LoadedConfiguration()))
        started.enter()
    }

    /// The configuration in force; an empty one before the first was read.
    var current: LoadedConfiguration { state.withLock { $0.loaded } }

    /// Reads the first configuration.
    func load() throws -> LoadedConfiguration {
        let loaded = try LoadedConfiguration(path: path, defaultJobs: defaultJobs, defaults: defaults)
        for warning in loaded.configuration.warnings { logger.warning("\(warning)") }
        state.withLock { $0.loaded = loaded }
        return loaded
    }

    /// Puts the configuration that was loaded first in force.
    func start(_ loaded: LoadedConfiguration, _ manager: ScrapeManager, _ database: Database) async throws {
        state.withLock { state in
            state.manager = manager
            state.database = database
        }
        try metrics.engine.log.open(loaded.configuration.global.queryLogFile)
        try await manager.apply(loaded.jobs, externalLabels: loaded.configuration.global.externalLabels)
        metrics.noteReload(succeeded: true, at: ProcessFacts.now)
        started.leave()
    }

    /// Tells `center` from now on when reading fails.
    func notify(_ center: NotificationCenter) { notifications.withLock { $0 = center } }

    private func note(succeeded: Bool) {
        metrics.noteReload(succeeded: succeeded, at: ProcessFacts.now)
        let center = notifications.withLock { $0 }
        if succeeded {
            center?.remove(NotificationCenter.reloadFailed)
        } else {
            center?.add(NotificationCenter.reloadFailed, now: ProcessFacts.now)
        }
    }

    /// Reads the file again and puts it in force; from a thread that may wait.
    /// - Returns: What is wrong with it, or nil.
    func reload() -> String? {
        started.wait()
        return reloading.withLock { _ in
            logger.info("Loading configuration file", metadata: ["filename": "\(path)"])
            do {
                let loaded = try LoadedConfiguration(path: path, defaultJobs: defaultJobs, defaults: defaults)
                for warning in loaded.configuration.warnings { logger.warning("\(warning)") }
                try apply(loaded)
                note(succeeded: true)
                logger.info("Completed loading of configuration file", metadata: ["filename": "\(path)"])
                return nil
            } catch {
                note(succeeded: false)
                logger.error("Error reloading config", metadata: ["err": "\(error)"])
                return "couldn't load configuration (--config.file=\"\(path)\"): \(error)"
            }
        }
    }

    private func apply(_ loaded: LoadedConfiguration) throws {
        let (manager, database) = state.withLock { ($0.manager, $0.database) }
        guard let manager, let database else { return }
        let floatEncoding = floatEncoding
        try database.update { loaded.adjust(&$0, floatEncoding: floatEncoding) }
        try metrics.engine.log.open(loaded.configuration.global.queryLogFile)
        let outcome: Result<Void, any Error> = waiting {
            do {
                try await manager.apply(loaded.jobs, externalLabels: loaded.configuration.global.externalLabels)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
        state.withLock { $0.loaded = loaded }
    }

    /// A hash of the files that make up the configuration, to see whether one has changed.
    var checksum: UInt64 {
        var hash = FNV1a()
        for file in [path] + current.configuration.matchingScrapeFiles {
            hash.add(file.utf8)
            hash.add((TextFile.read(file) ?? "").utf8)
        }
        return hash.value
    }
}
