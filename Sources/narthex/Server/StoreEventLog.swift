import Logging
import TSDB

/// What the store tells an operator, as lines of the log.
enum StoreEventLog {
    /// Writes one line; what loses samples or stops writes is an error, what was mended a warning.
    static func write(_ event: StoreEvent, to logger: Logger) {
        switch event {
        case .replaying: break
        case .replayed(let segments, let samples, let milliseconds):
            logger.info(
                "WAL replay completed",
                metadata: [
                    "segments": "\(segments)", "samples": "\(samples)", "total_replay_duration": "\(milliseconds)ms",
                ])
        case .repaired(let path, let offset, let reason):
            logger.warning(
                "Damaged records were left out; what could be read was kept",
                metadata: ["path": "\(path)", "offset": "\(offset)", "err": "\(reason)"])
        case .blockSetAside(let path, let reason):
            logger.error(
                "Block cannot be read; it is neither served nor deleted",
                metadata: ["path": "\(path)", "err": "\(reason)"])
        case .blockWritten(let ulid, let minimum, let maximum):
            logger.info("write block", metadata: ["ulid": "\(ulid)", "mint": "\(minimum)", "maxt": "\(maximum)"])
        case .blockDeleted(let ulid, let reason):
            logger.info("Deleting obsolete block", metadata: ["block": "\(ulid)", "reason": "\(reason)"])
        case .maintenanceFailed(let reason):
            logger.error("Store maintenance failed; it will be tried again", metadata: ["err": "\(reason)"])
        case .writesStopped(let reason):
            logger.error("Samples are refused until the disk takes them again", metadata: ["err": "\(reason)"])
        case .writesResumed: logger.info("Samples are taken again")
        }
    }
}
