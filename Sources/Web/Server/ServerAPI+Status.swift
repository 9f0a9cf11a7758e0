internal import MetricModel
internal import PromQL
internal import TSDB

/// What the process is and holds.
extension ServerAPI {
    func configurationStatus(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        Self.success(Self.object([("yaml", .text(process.configuration()))]))
    }

    func runtimeInformation(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        Self.success(Self.object(process.runtimeInformation().map { ($0.name, .raw($0.json)) }))
    }

    func buildStatus(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        Self.success(buildInformation)
    }

    var buildInformation: [UInt8] { Self.object(settings.buildInformation.map { ($0.name, .text($0.value)) }) }

    func flags(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let flags = settings.flags.sorted { $0.name < $1.name }
        return Self.success(Self.object(flags.map { ($0.name, .text($0.value)) }))
    }

    func features(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        // Written without regard to HTML, so that operators stay readable.
        var json = Array("{".utf8)
        for (index, category) in settings.features.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            QueryResultJSON.appendText(category.key, to: &json)
            json += ":{".utf8
            for (index, feature) in category.value.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                QueryResultJSON.appendText(feature.key, to: &json)
                json += (feature.value ? ":true" : ":false").utf8
            }
            json.append(UInt8(ascii: "}"))
        }
        json.append(UInt8(ascii: "}"))
        return Self.success(json)
    }

    func storeStatus(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let text = form.first("limit")
        var limit = 10
        if !text.isEmpty {
            guard let number = TimeParameters.integer(text), number >= 1 else {
                throw APIError(.badData, "limit must be a positive number")
            }
            if number > 10_000 { throw APIError(.badData, "limit must not exceed 10000") }
            limit = number
        }
        let database = try database()
        let head = database.headStatus
        let cardinality = database.cardinality(limit: limit)
        let list = { (entries: [CardinalityStatus.Entry]) in
            JSONField.list(entries.map { .object([("name", .bytes($0.name)), ("value", .raw("\($0.count)"))]) })
        }
        let headFields: [(String, JSONField)] = [
            ("numSeries", .raw("\(head.seriesCount)")), ("numLabelPairs", .raw("\(head.labelPairCount)")),
            ("chunkCount", .raw("\(head.chunkCount)")), ("minTime", .raw("\(head.minimumTime)")),
            ("maxTime", .raw("\(head.maximumTime)")),
        ]
        return Self.success(
            Self.object([
                ("headStats", .object(headFields)), ("seriesCountByMetricName", list(cardinality.seriesByMetricName)),
                ("labelValueCountByLabelName", list(cardinality.valuesByLabelName)),
                ("memoryInBytesByLabelName", list(cardinality.bytesByLabelName)),
                ("seriesCountByLabelValuePair", list(cardinality.seriesByLabelPair)),
            ]))
    }

    func blocks(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        let blocks = try database().blocks.map { block -> JSONField in
            let (meta, stats) = (block.meta, block.meta.stats)
            let counts = [
                ("numSamples", stats.samples), ("numFloatSamples", stats.floatSamples),
                ("numHistogramSamples", stats.histogramSamples), ("numSeries", stats.series),
                ("numChunks", stats.chunks), ("numTombstones", stats.tombstones),
            ]
            let statistics = counts.filter { $0.1 > 0 }.map { ($0.0, JSONField.raw("\($0.1)")) }
            let compaction: [(String, JSONField)] = [
                ("level", .raw("\(meta.level)")), ("sources", .list(meta.sources.map { .text($0.description) })),
            ]
            return .object([
                ("ulid", .text(meta.ulid.description)), ("minTime", .raw("\(meta.minimumTime)")),
                ("maxTime", .raw("\(meta.maximumTime)")), ("stats", .object(statistics)),
                ("compaction", .object(compaction)), ("version", .raw("1")),
            ])
        }
        return Self.success(Self.object([("blocks", .list(blocks))]))
    }

    func replayStatus() -> ServerResponse {
        let status = process.replayProgress()
        return Self.success(
            Self.object([
                ("min", .raw("\(status.minimum)")), ("max", .raw("\(status.maximum)")),
                ("current", .raw("\(status.current)")),
            ]))
    }

    // MARK: Rules, which this version does not evaluate

    func alertmanagers(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        Self.success(Array(#"{"activeAlertmanagers":[],"droppedAlertmanagers":[]}"#.utf8))
    }

    func alerts(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        Self.success(Array(#"{"alerts":[]}"#.utf8))
    }

    func rules(_ request: ServerRequest, _ form: FormValues) throws(APIError) -> ServerResponse {
        if let fault = form.fault { throw APIError(.badData, "error parsing form values: \(fault)") }
        for text in form.all("match[]") {
            do throws(ParseError) {
                _ = try parser.parseMetricSelector(text)
            } catch {
                throw APIError(.badData, error.description)
            }
        }
        let type = form.firstInQuery("type").string.lowercased()
        if !["", "alert", "record"].contains(type) {
            throw .parameter("type", "not supported value \(Quoting.quote(ByteString(type)))")
        }
        let exclude = form.firstInQuery("exclude_alerts").string.lowercased()
        if !["", "1", "t", "true", "0", "f", "false"].contains(exclude) {
            throw .parameter(
                "exclude_alerts",
                "error converting exclude_alerts: strconv.ParseBool: parsing \(Quoting.quote(ByteString(exclude))): "
                    + "invalid syntax")
        }
        try checkPagination(form)
        return Self.success(Array(#"{"groups":[]}"#.utf8))
    }

    private func checkPagination(_ form: FormValues) throws(APIError) {
        let limit = form.firstInQuery("group_limit")
        let token = form.firstInQuery("group_next_token")
        if limit.isEmpty {
            if token.isEmpty { return }
            throw .parameter(
                "group_next_token", "group_limit needs to be present in order to paginate over the groups")
        }
        guard let number = TimeParameters.integer(limit), Int32(exactly: number) != nil else {
            throw .parameter(
                "group_limit",
                "group_limit needs to be a valid number: strconv.ParseInt: parsing \(Quoting.quote(limit)): invalid "
                    + "syntax")
        }
        if number <= 0 { throw .parameter("group_limit", "group_limit needs to be greater than 0") }
        if !token.isEmpty {
            throw .parameter(
                "group_next_token", "invalid group_next_token '\(token)'. were rule groups changed?")
        }
    }
}
