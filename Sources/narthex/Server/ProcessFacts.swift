import ByteCoding
import Dispatch
import MetricModel
import Scrape
import TSDB
import Web

#if canImport(Glibc)
import Glibc
#endif

/// What the process knows of itself and its machine.
struct ProcessFacts {
    private let started = Self.now

    /// Milliseconds since 1970.
    static var now: Timestamp { WallClock.nanoseconds() / 1_000_000 }

    /// The machine's name; empty if it has none.
    static var hostName: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static var workingDirectory: String {
        guard let path = getcwd(nil, 0) else { return "<error retrieving current working directory>" }
        defer { free(path) }
        return String(cString: path)
    }

    /// The fields of `/api/v1/status/runtimeinfo`; those about Go's runtime say what is closest to them here.
    func fields(
        _ reload: (succeeded: Bool, time: Timestamp), _ database: Database?, _ configuration: Configuration
    ) -> [(name: String, json: String)] {
        let time = { (time: Timestamp) in "\"\(ServerTime.text(time))\"" }
        let memory = Int64.max
        return [
            ("startTime", time(started)), ("CWD", Self.quoted(Self.workingDirectory)),
            ("hostname", Self.quoted(Self.hostName)), ("serverTime", time(Self.now)),
            ("reloadConfigSuccess", "\(reload.succeeded)"), ("lastConfigTime", time(reload.time / 1000 * 1000)),
            ("corruptionCount", "\(database?.metrics.walCorruptions ?? 0)"), ("goroutineCount", "\(Self.threadCount)"),
            ("GOMAXPROCS", "\(ProcessLimits.cores)"), ("GOMEMLIMIT", "\(memory)"), ("GOGC", "\"\""),
            ("GODEBUG", "\"\""), ("storageRetention", Self.quoted(kept(configuration))),
        ]
    }

    /// How long and how much is kept, as `15d or 512MiB`.
    private func kept(_ configuration: Configuration) -> String {
        let kept = configuration.storage.retention
        var parts: [String] = []
        if kept.time.milliseconds > 0 { parts.append(kept.time.description) }
        if kept.size.bytes > 0 { parts.append("\(kept.size)") }
        if kept.percentage > 0 { parts.append("\(kept.percentage)%") }
        return parts.joined(separator: " or ")
    }

    private static var threadCount: Int {
        guard let text = TextFile.read("/proc/self/status"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Threads:") })
        else { return 0 }
        return Int(line.dropFirst("Threads:".count).filter(\.isNumber)) ?? 0
    }

    private static func quoted(_ text: String) -> String {
        var json: [UInt8] = []
        JSONText.append(text, to: &json)
        return String(decoding: json, as: UTF8.self)
    }
}

/// SIGHUP: the configuration is to be read again.
final class ReloadSignals {
    private let source: any DispatchSourceSignal

    /// Begins to listen.
    init(_ onSignal: @escaping @Sendable () -> Void) {
        signal(SIGHUP, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: DispatchQueue(label: "narthex.reload"))
        source.setEventHandler { onSignal() }
        source.resume()
    }
}

extension ScrapeManager {
    /// What is counted of all scrapes, under Prometheus' names.
    nonisolated var families: [MetricFamily] { metrics.families + discoveryMetrics.families }
}
