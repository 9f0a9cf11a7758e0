#if canImport(Glibc)
internal import Glibc
#endif
internal import ByteCoding
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
            throw ScrapeFailure("can't create json log file: open \(path): \(TextFile.reason(errno))")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Appends a line; what the disk does not take is lost.
    func write(_ message: String, job: String, target: String) {
        let time = WallTime.rfc3339(clock.now)
        let line =
            "{\"time\":\"\(time)\",\"level\":\"ERROR\",\"msg\":\(JSONText.quote(message)),"
            + "\"job_name\":\(JSONText.quote(job)),\"target\":\(JSONText.quote(target))}\n"
        let bytes = Array(line.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}

/// Text as JSON writes it.
enum JSONText {
    static func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// Times as logs write them.
enum WallTime {
    /// `2026-01-02T03:04:05.678Z` for nanoseconds since 1970.
    static func rfc3339(_ nanoseconds: Int64) -> String {
        var seconds = time_t(nanoseconds / 1_000_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int32, _ width: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
        }
        let milliseconds = Int32(truncatingIfNeeded: nanoseconds / 1_000_000 % 1000)
        return "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))T"
            + "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))."
            + "\(padded(milliseconds, 3))Z"
    }
}
