internal import DurableFiles
internal import Logging
internal import MetricModel
internal import YAML

/// Targets in files, read when they change.
///
/// Files are looked at each five seconds, by size, inode and time of change, and read in any case at the refresh
/// interval: that also works on file systems that tell nobody of changes.
/// Source: prometheus/prometheus discovery/file.
struct FileDiscovery: Sendable {
    private let configuration: FileDiscoveryConfiguration
    private let clock: any ScrapeClock
    private let logger: Logger
    private let metrics: DiscoveryMetrics

    /// How often files are looked at.
    private static let watchInterval = PrometheusDuration.seconds(5)

    init(_ configuration: FileDiscoveryConfiguration, clock: any ScrapeClock, logger: Logger, metrics: DiscoveryMetrics)
    {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        self.metrics = metrics
    }

    func run(_ update: @Sendable ([TargetGroup]) async -> Void) async {
        var counts: [String: Int] = [:]
        var seen: [String: FileStamp] = [:]
        var lastRefresh: Int64?
        let interval = max(PrometheusDuration(milliseconds: 1), configuration.refreshInterval)
        repeat {
            let paths = configuration.files.flatMap(PathPattern.matches)
            let stamps = Dictionary(paths.compactMap { path in FileStamp(path: path).map { (path, $0) } }) { $1 }
            let isDue = lastRefresh.map { clock.now - $0 >= interval.milliseconds * 1_000_000 } ?? true
            guard isDue || stamps != seen else { continue }
            lastRefresh = clock.now
            seen = stamps
            await refresh(paths, &counts, update)
            metrics.fileScans.observe(Double(clock.now - (lastRefresh ?? 0)) / 1e9)
        } while await pause(min(Self.watchInterval, interval), clock)
    }

    private func refresh(
        _ paths: [String], _ counts: inout [String: Int], _ update: @Sendable ([TargetGroup]) async -> Void
    ) async {
        var next: [String: Int] = [:]
        for path in paths {
            do {
                let groups = try TargetList.file(path)
                await update(groups)
                next[path] = groups.count
            } catch {
                metrics.fileReadErrors.increment()
                logger.error("Error reading file", metadata: ["path": "\(path)", "err": "\(error)"])
                // What it said before holds until it can be read again.
                next[path] = counts[path] ?? 0
            }
        }
        for (path, count) in counts {
            let left = next[path] ?? 0
            if count > left { await update((left..<count).map { TargetGroup(source: "\(path):\($0)") }) }
        }
        counts = next
    }
}

/// Lists of target groups, as files and servers write them. JSON is read as the YAML that it also is.
enum TargetList {
    static let filePath: ByteString = "__meta_filepath"
    static let url: ByteString = "__meta_url"

    /// The groups of the file at `path`.
    /// - Throws: `SmallFile.Unreadable` or `YAMLError`.
    static func file(_ path: String) throws -> [TargetGroup] {
        try parse(try SmallFile.read(path), source: path, label: (filePath, ByteString(path)))
    }

    /// The groups of a text.
    /// - Parameters:
    ///   - source: prefix of the groups' names.
    ///   - label: given to all groups.
    static func parse(
        _ text: [UInt8], source: String, label: (name: ByteString, value: ByteString)
    ) throws(YAMLError) -> [TargetGroup] {
        var groups = try YAMLDecoder.decode(text, empty: []) { node, decoder throws(YAMLError) -> [TargetGroup] in
            var groups: [TargetGroup] = []
            for (index, item) in decoder.items(node, type: "[]*targetgroup.Group").enumerated() {
                guard !item.isNull else { throw .invalid("nil target group item found", line: item.line) }
                groups.append(try TargetGroup(item, decoder, source: "\(source):\(index)"))
            }
            return groups
        }
        for index in groups.indices { groups[index].labels = groups[index].labels.setting(label.name, label.value) }
        return groups
    }
}
