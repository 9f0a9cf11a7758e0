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
        return Engine(options: options, log: activeQueries(options.maximumConcurrency))
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
