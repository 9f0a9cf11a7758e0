import Matching
import MetricModel
import TSDB
import Web

/// What `promtool tsdb analyze` says of a block.
enum BlockReport {
    static func print(_ flags: ParsedFlags, directory: String) throws {
        let matchers = flags["match"].isEmpty ? [] : try StoreCommand.matchers(flags["match"])
        let blocks = try Database.viewBlocks(directory)
        let block: Block
        if let wanted = flags.argument("block id").first {
            guard let found = blocks.first(where: { $0.meta.ulid.description == wanted }) else {
                throw CommandLineError("block \(wanted) not found")
            }
            block = found
        } else {
            guard let last = blocks.max(by: { $0.meta.ulid < $1.meta.ulid }) else {
                throw CommandLineError("no blocks found")
            }
            block = last
        }
        let analysis = try BlockAnalysis(block, matchers)
        var output = LineOutput()
        report(analysis, flags, &output)
        if flags.isOn("extended") { report(try ChunkAnalysis(block, matchers), &output) }
    }

    private static func report(_ analysis: BlockAnalysis, _ flags: ParsedFlags, _ output: inout LineOutput) {
        let meta = analysis.meta
        func line(_ text: String) { output.line { $0 += Array(text.utf8) } }
        line("Block ID: \(meta.ulid)")
        line("Duration: \(GoDuration(nanoseconds: (meta.maximumTime &- meta.minimumTime) &* 1_000_000).description)")
        line("Total Series: \(meta.stats.series)")
        if !flags["match"].isEmpty { line("Matcher: \(flags["match"])") }
        line("Label names: \(analysis.labelNameCount)")
        if !flags["match"].isEmpty { line("Matched series: \(analysis.seriesCount)") }
        line("Postings (unique label pairs): \(analysis.pairCount)")
        line("Postings entries (total label pairs): \(analysis.entryCount)")
        let lists: [(String, [BlockAnalysis.Entry])] = [
            ("Label pairs most involved in churning", analysis.churningPairs),
            ("Label names most involved in churning", analysis.churningNames),
            ("Most common label pairs", analysis.commonPairs),
            ("Label names with highest cumulative label value length", analysis.longestNames),
            ("Highest cardinality labels", analysis.variedNames),
            ("Highest cardinality metric names", analysis.largestMetrics),
        ]
        for (title, entries) in lists {
            line("\n\(title):")
            for entry in entries.prefix(max(0, flags.integer("limit"))) {
                output.line { $0 += Array("\(entry.count) ".utf8) + entry.key.bytes }
            }
        }
    }

    private static func report(_ analysis: ChunkAnalysis, _ output: inout LineOutput) {
        func line(_ text: String) { output.line { $0 += Array(text.utf8) } }
        line("\nCompaction analysis:\n")
        let total = analysis.chunkCount
        line(histogram("samples per float chunk", analysis.samplesOfFloatChunks, total))
        line(histogram("bytes per float chunk", analysis.bytesOfFloatChunks, total))
        line(histogram("samples per histogram chunk", analysis.samplesOfHistogramChunks, total))
        line(histogram("bytes per histogram chunk", analysis.bytesOfHistogramChunks, total))
        line(histogram("buckets per histogram chunk", analysis.bucketsOfHistogramChunks, total))
    }

    /// How often numbers of each size occur, as bars. Source: cmd/promtool/tsdb.go (`displayHistogram`).
    private static func histogram(_ what: String, _ numbers: [Int], _ total: Int) -> String {
        guard let least = numbers.min(), let most = numbers.max() else { return "\(what): N/A\n" }
        var step = 10
        while step < (most - least) / 10, step <= 10_000 { step *= 10 }
        let start = least - least % step
        let end = most - most % step + step
        var counts = [Int](repeating: 0, count: (end - start) / step + 1)
        for number in numbers { counts[(number - start) / step] += 1 }
        let average = numbers.reduce(0, +) / numbers.count
        var text = "\(what) (min/avg/max): \(least)/\(average)/\(most)\n"
        func padded(_ number: Int, like widest: Int) -> String {
            String(repeating: " ", count: max(0, "\(widest)".count - "\(number)".count)) + "\(number)"
        }
        let largest = counts.max() ?? 0
        for (index, count) in counts.enumerated() {
            let lower = padded(index * step + start + 1, like: end)
            let upper = padded((index + 1) * step + start, like: end + step)
            let bar = String(repeating: "#", count: 100 * count / max(1, total))
            text += "[\(lower), \(upper)]: \(padded(count, like: largest)) \(bar)\n"
        }
        return text
    }
}
