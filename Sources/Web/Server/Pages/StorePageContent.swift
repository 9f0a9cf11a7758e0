internal import ByteCoding
internal import MetricModel
internal import TSDB

/// What the page of the store shows: its head, its blocks, and what has many series.
struct StorePageContent {
    let head: HeadStatus
    let blocks: [BlockStatus]
    let cardinality: CardinalityStatus
    let prefix: String

    /// The main part of the page.
    var markup: Markup {
        """
        <h1>Store</h1>
        <div class="tiles">
        <div class="tile"><span>Series in the head</span><b>\(head.seriesCount)</b></div>
        <div class="tile"><span>Chunks in the head</span><b>\(head.chunkCount)</b></div>
        <div class="tile"><span>Label pairs</span><b>\(head.labelPairCount)</b></div>
        <div class="tile"><span>Blocks</span><b>\(blocks.count)</b></div>
        </div>
        <p>The head holds \(Self.time(head.minimumTime)) to \(Self.time(head.maximumTime)) UTC.</p>
        \(table("Series by metric name", "Metric", "Series", cardinality.seriesByMetricName, isMetric: true))
        \(table("Values by label name", "Label", "Values", cardinality.valuesByLabelName))
        \(table("Memory by label name", "Label", "Bytes", cardinality.bytesByLabelName))
        \(table("Series by label pair", "Pair", "Series", cardinality.seriesByLabelPair))
        \(blockTable)
        """
    }

    private static func time(_ time: Timestamp) -> String {
        time == .max || time == .min ? "–" : PageTime.moment(second: time / 1000)
    }

    private func table(
        _ title: String, _ name: String, _ count: String, _ entries: [CardinalityStatus.Entry], isMetric: Bool = false
    ) -> Markup {
        let most = max(1, entries.map(\.count).max() ?? 1)
        let rows = entries.map { entry -> Markup in
            // One metric can be asked for as it stands.
            let query = PercentCoding.encode("{__name__=\(Quoting.quote(entry.name))}".utf8)
            let cell: Markup =
                isMetric
                ? "<a href=\"\(prefix)/query?g0.expr=\(query)&g0.tab=1\"><bdi>\(entry.name)</bdi></a>"
                : "<bdi>\(entry.name)</bdi>"
            let share = Int((Double(entry.count) / Double(most) * 100).rounded())
            return """
                <tr><td class="mono">\(cell)</td><td class="number">\(String(entry.count))</td><td class="share"><svg viewBox="0 0 100 8" width="100" height="8" aria-hidden="true"><rect width="\(share)" height="8"/></svg></td></tr>

                """
        }
        return """
            <h2>\(title)</h2>
            <table data-sortable class="shares"><thead><tr><th>\(name)</th><th class="number">\(count)</th><td></td></tr></thead><tbody>
            \(Markup.join(rows))</tbody></table>

            """
    }

    private var blockTable: Markup {
        guard !blocks.isEmpty else {
            return "<h2>Blocks</h2>\n<p class=\"faint\">None yet: the head is written to a block every two hours.</p>"
        }
        let rows = blocks.map { block -> Markup in
            """
            <tr><td class="mono">\(block.meta.ulid.description)</td><td>\(Self.time(block.meta.minimumTime))</td><td>\(Self.time(block.meta.maximumTime))</td><td class="number">\(String(block.meta.stats.series))</td><td class="number">\(String(block.meta.stats.samples))</td><td class="number" data-value="\(String(block.bytes))">\(ByteCountText.binary(Int(block.bytes)))</td><td class="number">\(block.meta.level)</td></tr>

            """
        }
        return """
            <h2>Blocks</h2>
            <div class="scroll"><table data-sortable><thead><tr><th>Block</th><th>From</th><th>To</th><th class="number">Series</th><th class="number">Samples</th><th class="number">Size</th><th class="number">Level</th></tr></thead><tbody>
            \(Markup.join(rows))</tbody></table></div>
            """
    }
}
