#if canImport(Glibc)
internal import Glibc
#endif
internal import ByteCoding
internal import DurableFiles
internal import MetricModel
internal import Synchronization

/// The file that `scrape_failure_log_file` names: one JSON object a line for each failed scrape.
final class ScrapeFailureLog: Sendable {
    private let descriptor: Int32
    private let clock: any ScrapeClock

    /// Opens the file for appending.
    /// - Throws: `ScrapeFailure` if it cannot be opened.
    init(path: String, clock: any ScrapeClock) throws(ScrapeFailure) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        self.clock = clock
        guard descriptor >= 0 else {
            throw ScrapeFailure("can't create json log file: open \(path): \(SystemError.reason(errno))")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Appends a line; what the disk does not take is lost.
    func write(_ message: String, job: String, target: String) {
        let time = CivilTime.rfc3339(milliseconds: clock.now / 1_000_000)
        var line = Array("{\"time\":\"\(time)\",\"level\":\"ERROR\",\"msg\":".utf8)
        JSONText.append(message, escapesMarkup: false, to: &line)
        line += ",\"job_name\":".utf8
        JSONText.append(job, escapesMarkup: false, to: &line)
        line += ",\"target\":".utf8
        JSONText.append(target, escapesMarkup: false, to: &line)
        line += "}\n".utf8
        _ = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
