internal import MetricModel

/// What the gateway's status page shows. The tiles stand there from the start, so that nothing moves when a script
/// begins to draw lines into them.
struct GatewayStatusContent {
    /// Why the gateway is not ready; nil if it is.
    let refusal: String?
    /// Seconds since 1970.
    let startTime: Int64
    let now: Int64
    let groupCount: Int
    /// Names of some families that are stored.
    let families: [String]
    let flags: [(name: String, value: String)]
    /// The gateway's own metrics.
    let own: [MetricFamily]
    let prefix: String

    /// What a tile shows of a family: its sum, or how fast that grows, which takes a script.
    private struct Tile {
        let id: String
        let title: String
        let family: ByteString
        let isRate: Bool
        let isBytes: Bool

        init(_ id: String, _ title: String, _ family: ByteString, isRate: Bool = false, isBytes: Bool = false) {
            self.id = id
            self.title = title
            self.family = family
            self.isRate = isRate
            self.isBytes = isBytes
        }
    }

    private static let tiles = [
        Tile("pushes", "Pushes a second", "pushgateway_http_push_duration_seconds", isRate: true),
        Tile("refused", "Refused a second", "narthex_gateway_pushes_refused_total", isRate: true),
        Tile("groups", "Groups", "narthex_gateway_groups"),
        Tile("journal", "Journal", "narthex_gateway_journal_bytes", isBytes: true),
        Tile("memory", "Memory", "process_resident_memory_bytes", isBytes: true),
        Tile("cpu", "CPU cores in use", "process_cpu_seconds_total", isRate: true),
    ]

    /// The main part of the page.
    var markup: Markup {
        let health: Markup =
            refusal.map { "<p class=\"note bad\">Not ready: \($0)</p>" }
            ?? "<p><span class=\"badge good\">Ready</span></p>"
        return """
            <h1>Status</h1>
            \(health)
            <dl class="facts"><dt>Started</dt><dd>\(PageTime.moment(second: startTime)) UTC</dd><dt>Uptime</dt><dd>\(PageTime.length(max(0, now - startTime)))</dd><dt>Groups</dt><dd>\(groupCount)</dd>\(stored)</dl>
            <div id="health" class="tiles" data-metrics="status?format=metrics">
            \(Markup.join(Self.tiles.compactMap(tile)))</div>
            <noscript><p class="faint">What grows is shown by a script only; all of the gateway's own metrics are <a href="\(prefix)/status?format=metrics">here</a>.</p></noscript>
            <h2>Build</h2>
            \(Self.facts(BuildInfo.fields))
            <h2>Flags</h2>
            \(Self.facts(flags.map { ("--\($0.name)", $0.value) }))
            """
    }

    private var stored: Markup {
        families.isEmpty
            ? "" : "<dt>Some families</dt><dd class=\"mono\">\(families.joined(separator: ", "))</dd>"
    }

    /// A tile; nil where the gateway has no such metric.
    private func tile(_ tile: Tile) -> Markup? {
        guard let family = own.first(where: { $0.name == tile.family }) else { return nil }
        let sum = family.metrics.reduce(0.0) { sum, metric in
            switch metric.value {
            case .counter(let counter): sum + counter.value
            case .gauge(let value), .untyped(let value): sum + value
            case .summary, .histogram: sum
            }
        }
        let text =
            tile.isRate
            ? "–" : tile.isBytes ? ByteCountText.binary(Int(exactly: sum.rounded()) ?? 0) : PlotScale.short(sum)
        return """
            <div class="tile" data-tile="\(tile.id)"><span>\(tile.title)</span><b>\(text)</b><svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true"></svg></div>

            """
    }

    private static func facts(_ pairs: [(name: String, value: String)]) -> Markup {
        let rows = Markup.join(pairs.map { "<dt>\($0.name)</dt><dd class=\"mono\">\($0.value)</dd>\n" })
        return "<dl class=\"facts\">\(rows)</dl>"
    }
}
