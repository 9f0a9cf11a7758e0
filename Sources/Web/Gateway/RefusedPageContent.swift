internal import MetricModel

/// What the page of refused pushes shows: why a job's metrics are missing is the first question asked.
struct RefusedPageContent {
    let entries: [RefusedPushes.Entry]
    let total: UInt64
    let prefix: String
    /// Seconds since 1970.
    let now: Int64

    /// The main part of the page.
    var markup: Markup {
        guard !entries.isEmpty else {
            return """
                <h1>Refused pushes</h1>
                <p class="empty">No push has been refused since the gateway was started.</p>
                """
        }
        let kept: Markup =
            total > UInt64(entries.count) ? "The latest \(entries.count) of \(String(total)) since the start." : ""
        return """
            <h1>Refused pushes</h1>
            <p class="faint">\(kept) What was refused changed nothing, apart from the time of the group's last failure.</p>
            <div class="bar"><label class="visually-hidden" for="search">Search refused pushes</label><input type="search" id="search" data-filters="tbody tr" placeholder="Search refused pushes"></div>
            <div class="scroll"><table data-sortable class="stacked">
            <thead><tr><th>Time</th><th>From</th><th>Group</th><th class="number">Status</th><th>Reason</th></tr></thead>
            <tbody>
            \(Markup.join(entries.map(row)))</tbody></table></div>
            """
    }

    private func row(_ entry: RefusedPushes.Entry) -> Markup {
        let place: Markup =
            entry.group.map {
                "<a href=\"\(prefix)/group/\(PushPath.text($0))\">\(LabelMarkup.group($0.labels))</a>"
            } ?? "<span class=\"mono\">\(entry.path)</span>"
        return """
            <tr><td data-value="\(String(entry.time))" class="time">\(PageTime.markup(entry.time, now: now))</td><td class="mono">\(entry.source)</td><td><span class="badge">\(entry.method.name)</span> \(place)</td><td class="number">\(Int(entry.status.code))</td><td><bdi>\(entry.reason)</bdi></td></tr>

            """
    }
}
