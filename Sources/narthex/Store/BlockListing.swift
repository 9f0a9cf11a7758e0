import MetricModel
import TSDB
import Web

#if canImport(Glibc)
import Glibc
#endif

/// Blocks as `promtool tsdb list` shows them.
enum BlockListing {
    private static let titles = [
        "BLOCK ULID", "MIN TIME", "MAX TIME", "DURATION", "NUM SAMPLES", "NUM CHUNKS", "NUM SERIES", "SIZE",
    ]

    /// The table, with its header.
    static func table(_ blocks: [Block], _ flags: ParsedFlags, withHeader: Bool = true) -> String {
        let isHuman = flags.isOn("human-readable")
        var rows = withHeader ? [titles] : []
        for block in blocks {
            let meta = block.meta
            rows.append([
                meta.ulid.description, time(meta.minimumTime, isHuman), time(meta.maximumTime, isHuman),
                GoDuration(nanoseconds: (meta.maximumTime &- meta.minimumTime) &* 1_000_000).description,
                "\(meta.stats.samples)", "\(meta.stats.chunks)", "\(meta.stats.series)",
                isHuman ? size(block.byteCount) : "\(block.byteCount)",
            ])
        }
        return aligned(rows)
    }

    /// Columns of at least 13 characters, two of them blanks; the last one as long as it is.
    ///
    /// Source: Go's text/tabwriter with the widths that promtool gives it.
    private static func aligned(_ rows: [[String]]) -> String {
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                text += cell
                if column == row.count - 1 { continue }
                let widest = rows.map { $0[column].utf8.count }.max() ?? 0
                text += String(repeating: " ", count: max(13, widest + 2) - cell.utf8.count)
            }
            text += "\n"
        }
        return text
    }

    private static func time(_ milliseconds: Int64, _ isHuman: Bool) -> String {
        guard isHuman else { return "\(milliseconds)" }
        let time = CivilTime(second: milliseconds / 1000)
        return "\(time.dateText) \(time.timeText) +0000 UTC"
    }

    /// Powers of 1024, largest first: `1MiB512KiB`.
    ///
    /// Source: github.com/alecthomas/units bytes.go, si.go.
    private static func size(_ bytes: Int64) -> String {
        if bytes == 0 { return "0B" }
        var text = ""
        var rest = bytes
        for unit in ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] where rest > 0 {
            if rest % 1024 != 0 { text = "\(rest % 1024)\(unit)" + text }
            rest /= 1024
        }
        return text
    }
}
