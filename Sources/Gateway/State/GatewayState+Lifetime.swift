internal import MetricModel

extension GatewayState {
    /// Sets how long a group stays, and shows when it ends.
    mutating func setLifetime(_ lifetime: GroupLifetime, of number: Int32) {
        let old = groups[Int(number)].lifetime
        if case .forever = old, case .forever = lifetime { return }
        if case .scrapes = old { awaitingScrapes.remove(number) }
        groups[Int(number)].lifetime = lifetime
        switch lifetime {
        case .forever: showExpiry(nil, number)
        case .until(let end):
            showExpiry(end, number)
            if old != lifetime { enqueue(end, number) }
        case .scrapes:
            showExpiry(nil, number)
            awaitingScrapes.insert(number)
        }
    }

    private mutating func enqueue(_ end: Int64, _ number: Int32) {
        expiries.insert(end, number)
        guard expiries.count > 64 + 2 * groupCount else { return }
        let groups = self.groups
        expiries.rebuild { time, group in groups[Int(group)].lifetime == .until(time) }
    }

    private mutating func showExpiry(_ end: Int64?, _ number: Int32) {
        let slot = groups[Int(number)].expiryTimeSlot
        guard let end else {
            removeTimeSeries(slot, expiryTimeFamily)
            groups[Int(number)].expiryTimeSlot = SlotTable.none
            return
        }
        let seconds = Double(end) / 1e9
        guard slot == SlotTable.none else { return setGauge(slot, seconds) }
        let key = groups[Int(number)].key
        let series = PackedSeries(
            labels: SeriesRules.withInstance(key.labels), value: .gauge(seconds), type: .gauge, isExposable: true,
            shardHash: key.shardHash)
        families.addMember(expiryTimeFamily, .gauge)
        groups[Int(number)].expiryTimeSlot = addSeries(
            series, GatewayState.hash(series.keyHash, expiryTimeFamily), family: expiryTimeFamily, group: number)
    }

    /// Moves the ends of all lifetimes, since the clock was set by `jump` nanoseconds.
    /// - Complexity: O(groups); clocks are set seldom.
    mutating func moveEnds(by jump: Int64, _ log: inout EffectLog) {
        for number in groups.indices {
            guard groups[number].isUsed, case .until(let end) = groups[number].lifetime else { continue }
            let (moved, isTooFar) = end.addingReportingOverflow(jump)
            let lifetime = isTooFar ? GroupLifetime.forever : .until(moved)
            setLifetime(lifetime, of: Int32(truncatingIfNeeded: number))
            log.append(.lifetime(groups[number].key, lifetime))
        }
    }

    /// When the next group ends; a little earlier if that group was pushed again.
    package var nextExpiry: Int64? { expiries.next }

    /// Removes groups whose lifetime has ended, until they come to `limit` series.
    /// - Returns: Which.
    /// - Complexity: O(what is removed × log n).
    mutating func expire(at now: Int64, limit: Int = .max) -> [GroupingKey] {
        var numbers: [Int32] = []
        var known: Set<Int32> = []
        var keys: [GroupingKey] = []
        var series = 0
        while series < limit, let due = expiries.popDue(at: now) {
            let group = groups[Int(due.group)]
            guard group.isUsed, group.lifetime == .until(due.time), known.insert(due.group).inserted else { continue }
            numbers.append(due.group)
            keys.append(group.key)
            series += group.members.reduce(2) { $0 + Int($1.count) }
        }
        delete(groups: numbers)
        for key in keys { note(.expired, key, time: now) }
        expiredCount += keys.count
        return keys
    }

    /// What became of a group that a scraper was sent.
    enum ScrapeCredit {
        case none, counted, complete
    }

    /// Notes that a scraper was sent a group; removes it if enough have been.
    mutating func credit(_ scraped: ScrapedGroup, to scraper: ByteString) -> ScrapeCredit {
        guard let number = groupNumbers[scraped.key], groups[Int(number)].pushTime == scraped.pushTime,
            case .scrapes(let count, var seen) = groups[Int(number)].lifetime, !seen.contains(scraper)
        else { return .none }
        seen.append(scraper)
        guard seen.count < count else {
            delete(scraped.key)
            expiredCount += 1
            note(.expired, scraped.key, time: scraped.pushTime)
            return .complete
        }
        groups[Int(number)].lifetime = .scrapes(count: count, seen: seen)
        return .counted
    }

    /// The groups that wait to be scraped, as they are now.
    var awaited: [ScrapedGroup] {
        awaitingScrapes.map { ScrapedGroup(key: groups[Int($0)].key, pushTime: groups[Int($0)].pushTime) }
    }
}
