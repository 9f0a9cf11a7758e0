import Logging
import MetricModel
import PromQL
import Web

extension ServerParts {
    /// What evaluates queries, as the flags want it.
    var engine: Engine {
        var options = EngineOptions()
        options.maximumSamples = settings.maximumSamples
        options.timeout = settings.queryTimeout
        options.lookbackDelta = settings.lookbackDelta
        options.maximumConcurrency = settings.maximumConcurrency
        options.workers = ProcessLimits.cores
        settings.features.adjust(&options)
        options.defaultSubqueryInterval = { [configuration] _ in
            configuration.current.configuration.global.evaluationInterval.milliseconds
        }
        let log = configuration.metrics.engine.log
        if settings.slowQuery > 0 { log.noteSlow(after: settings.slowQuery) { [logger] in Self.note($0, logger) } }
        return Engine(options: options, log: activeQueries(options.maximumConcurrency), observer: log)
    }

    /// Logs a slow query.
    private static func note(_ query: FinishedQuery, _ logger: Logger) {
        var metadata: Logger.Metadata = [
            "query": "\(query.query.string)", "seconds": "\(query.statistics.totalTime)",
            "samples": "\(query.statistics.totalSamples)", "client": "\(query.origin?.client ?? "")",
        ]
        if case .range(let start, let end, let step) = query.time {
            metadata["start"] = "\(ServerTime.text(start))"
            metadata["end"] = "\(ServerTime.text(end))"
            metadata["step"] = "\(Double(step) / 1000)"
        }
        if let failure = query.failure { metadata["err"] = "\(failure)" }
        logger.warning("Slow query", metadata: metadata)
    }

    /// Where running queries are noted; what an earlier process did not finish is logged, as it may have ended it.
    private func activeQueries(_ count: Int) -> ActiveQueryLog? {
        let path = flags["storage.tsdb.path"] + "/queries.active"
        guard let file = MappedQueryFile(path: path, count: count) else {
            logger.error("Error opening query log file", metadata: ["file": "\(path)"])
            return nil
        }
        if !file.unfinished.isEmpty {
            logger.info(
                "These queries didn't finish in prometheus' last run:", metadata: ["queries": "\(file.unfinished)"])
        }
        return ActiveQueryLog(count: count, storage: file) { ProcessFacts.now / 1000 }
    }
}
