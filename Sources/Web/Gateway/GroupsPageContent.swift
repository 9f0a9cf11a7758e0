internal import ByteCoding
internal import Gateway
internal import MetricModel

/// What the list of groups shows. Complete without scripts, a page at a time; a script makes one long list of it.
struct GroupsPageContent {
    /// What was asked for.
    let query: GatewayService.GroupQuery
    let page: GatewayService.GroupPage
    /// Packed bytes of each group of the page.
    let sizes: [Int]
    /// The first families of each group of the page.
    let families: [[ByteString]]
    let prefix: String
    /// Seconds since 1970.
    let now: Int64
    let refusedCount: UInt64
    /// Whether everything may be deleted at once.
    let canWipe: Bool

    private static let columns: [(sort: String, title: StaticString, isNumber: Bool)] = [
        ("labels", "Group", false), ("push", "Last push", false), ("failure", "Last failure", false),
        ("families", "Families", true), ("series", "Metrics", true),
    ]

    /// The main part of the page.
    var markup: Markup {
        let note: Markup =
            refusedCount == 0
            ? ""
            : """
            <p class="note warn">\(refusedCount == 1 ? "A push was" : "\(refusedCount) pushes were") refused since the start. <a href="\(prefix)/refused">Why?</a></p>
            """
        let wipe: Markup = canWipe ? "<button type=\"button\" id=\"wipe\" class=\"danger\" hidden>Wipe…</button>" : ""
        return """
            <h1>Groups</h1>
            \(note)
            <form class="bar" id="find" action="\(prefix)/" role="search">
            <label class="visually-hidden" for="search">Search labels and families</label>
            <input id="search" name="search" type="search" placeholder="Search labels and families" value="\(query.search)" autocomplete="off">
            <span id="group-count" role="status">\(countText)</span>
            <span class="push"></span>
            <button type="button" id="delete-shown" class="danger" hidden>Delete these…</button>
            \(wipe)
            <button id="reload">Reload</button>
            </form>
            <div id="groups" class="groups" role="table" aria-label="Groups" aria-rowcount="\(page.matched + 1)">
            <div class="groups-head" role="row" aria-rowindex="1">\(head)</div>
            <div class="groups-body" role="rowgroup">
            \(rows)</div>
            </div>
            \(paging)
            """
    }

    private var countText: String {
        let total = page.total == 1 ? "1 group" : "\(Self.grouped(page.total)) groups"
        return query.search.isEmpty ? total : "\(Self.grouped(page.matched)) of \(total)"
    }

    /// Digits in groups of three, as the scripts write them.
    private static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3) { text = "," + text }
            text = String(digit) + text
        }
        return text
    }

    private var head: Markup {
        let sorted = Self.columns.map { column -> Markup in
            let isCurrent = column.sort == query.sort
            let order: Markup = isCurrent ? (query.isDescending ? "descending" : "ascending") : "none"
            let next = isCurrent ? (query.isDescending ? "asc" : "desc") : column.sort == "labels" ? "asc" : "desc"
            let number: Markup = column.isNumber ? " class=\"number\"" : ""
            return """
                <span role="columnheader" aria-sort="\(order)"\(number)><a href="\(link(sort: column.sort, order: next))" data-sort="\(column.sort)">\(Markup.literal(column.title))</a></span>
                """
        }
        return .join(sorted) + "<span role=\"columnheader\" class=\"number\">Size</span>"
    }

    private var rows: Markup {
        if page.groups.isEmpty {
            return query.search.isEmpty
                ? """
                <div class="empty"><p>Nothing has been pushed yet. Try:</p>
                <pre id="first-push">echo 'my_metric 42' | curl --data-binary @- http://localhost:9091\(prefix)/metrics/job/my_job</pre></div>

                """
                : "<p class=\"empty\">No group has this in a label or a family name.</p>\n"
        }
        return .join(
            zip(page.groups, zip(sizes, families)).enumerated().map { place, entry in
                row(entry.0, size: entry.1.0, families: entry.1.1, index: query.offset + place + 2)
            })
    }

    private func row(_ group: GroupSummary, size: Int, families: [ByteString], index: Int) -> Markup {
        let names = families.map(\.string).joined(separator: ", ")
        let failure: Markup =
            group.lastPushSuccessful ? "" : "<span class=\"badge bad\">failed</span> "
        return """
            <div class="group-row" role="row" aria-rowindex="\(index)"><span role="cell"><a href="\(prefix)/group/\(PushPath.text(group.key))">\(LabelMarkup.group(group.key.labels))</a></span><span role="cell">\(PageTime.markup(group.pushTime, now: now))</span><span role="cell">\(failure)\(PageTime.markup(group.failureTime, now: now, otherwise: "never failed"))</span><span role="cell" class="number" title="\(names)">\(Self.grouped(group.familyCount))</span><span role="cell" class="number">\(Self.grouped(group.metricCount))</span><span role="cell" class="number">\(ByteCountText.binary(size))</span></div>

            """
    }

    private var paging: Markup {
        let last = query.offset + page.groups.count
        guard query.offset > 0 || last < page.matched else { return "" }
        let previous: Markup =
            query.offset > 0
            ? "<a class=\"button\" rel=\"prev\" href=\"\(link(offset: max(0, query.offset - query.limit)))\">Previous</a>"
            : ""
        let next: Markup =
            last < page.matched
            ? "<a class=\"button\" rel=\"next\" href=\"\(link(offset: query.offset + query.limit))\">Next</a>" : ""
        return """
            <nav id="paging" class="bar" aria-label="Parts of the list">\(previous)\(next)<span class="faint">\(Self.grouped(query.offset + 1)) to \(Self.grouped(last))</span></nav>
            """
    }

    /// This page with another order or part.
    private func link(sort: String? = nil, order: String? = nil, offset: Int = 0) -> String {
        var parts: [String] = []
        if !query.search.isEmpty { parts.append("search=\(PercentCoding.encode(query.search.bytes))") }
        parts.append("sort=\(PercentCoding.encode((sort ?? query.sort).utf8))")
        parts.append("order=\(order ?? (query.isDescending ? "desc" : "asc"))")
        if offset > 0 { parts.append("offset=\(offset)") }
        return "\(prefix)/?" + parts.joined(separator: "&")
    }
}
