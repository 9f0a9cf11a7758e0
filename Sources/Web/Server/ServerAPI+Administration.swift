internal import Matching
internal import MetricModel
internal import PromQL
internal import TSDB

/// Changes to the store that an operator asks for.
extension ServerAPI {
    private func checkAdministration() throws(APIError) {
        if !settings.enablesAdministration { throw APIError(.unavailable, "admin APIs disabled") }
    }

    func deleteSeries(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        try checkAdministration()
        if let fault = form.fault { throw APIError(.badData, "error parsing form values: \(fault)") }
        let selectors = form.all("match[]")
        if selectors.isEmpty { throw APIError(.badData, "no match[] parameter provided") }
        let (start, end) = try timeRange(form)
        let database = try database()
        for text in selectors {
            let matchers: [Matcher]
            do throws(ParseError) {
                matchers = try parser.parseMetricSelector(text)
            } catch {
                throw .parameter("match[]", error.description)
            }
            do throws(StoreError) {
                try database.delete(matchers, from: start, to: end)
            } catch {
                throw APIError(.internal, error.description)
            }
        }
        return Self.nothing
    }

    func cleanTombstones(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        try checkAdministration()
        let database = try database()
        do throws(StoreError) {
            try database.cleanTombstones()
        } catch {
            throw APIError(.internal, error.description)
        }
        return Self.nothing
    }

    func snapshot(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        try checkAdministration()
        var skipsHead = false
        let text = form.first("skip_head")
        switch text {
        case "": break
        case "1", "t", "T", "true", "TRUE", "True": skipsHead = true
        case "0", "f", "F", "false", "FALSE", "False": skipsHead = false
        default:
            throw .parameter(
                "skip_head",
                "unable to parse boolean: strconv.ParseBool: parsing \(Quoting.quote(text)): invalid syntax")
        }
        let database = try database()
        let name = snapshotName()
        do throws(StoreError) {
            try database.snapshot(into: "\(database.path)/snapshots/\(name)", skippingHead: skipsHead)
        } catch {
            throw APIError(.internal, "create snapshot: \(error)")
        }
        return Self.success(Self.object([("name", .text(name))]))
    }

    /// `20060102T150405Z-0123456789abcdef`.
    private func snapshotName() -> String {
        let second = process.now() / 1000 * 1000
        let time = RFC3339.text(milliseconds: second).filter { $0 != "-" && $0 != ":" }
        let digits = String(process.random(), radix: 16)
        return "\(time)-\(String(repeating: "0", count: max(0, 16 - digits.count)))\(digits)"
    }
}
