internal import MetricModel

/// Single series: added, replaced, removed, with all tables kept in step.
///
/// Of several series with the same name and labels (possible only with the consistency check off) one is shown: that
/// of the group whose key comes first, within a group the one that was pushed first. The rule looks at what is stored
/// and not at its history, so that it holds after a restart.
extension GatewayState {
    /// The hash of a series from that of its labels.
    static func hash(_ labels: UInt64, _ family: Int32) -> UInt64 {
        var mixed = labels ^ (UInt64(UInt32(bitPattern: family)) &+ 1) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 32)) &* 0xD6E8_FEB8_6659_FD93
        return mixed ^ (mixed >> 32)
    }

    /// The series in `slot`.
    func series(_ slot: Int32) -> PackedSeries? {
        let place = slots[slot].place
        if place == .none { return duplicates[slot] }
        return families[slots[slot].family].sorted.series(
            slot, inChunkAt: slots.position(of: place), hint: place.hint)
    }

    /// The slot that shows a series with the same labels.
    func shownSlot(like series: PackedSeries, _ hash: UInt64, family: Int32) -> Int32? {
        index.find(hash) { slot in
            slots[slot].hash == hash && slots[slot].family == family && position(of: slot, like: series) != nil
        }
    }

    /// Where the series in `slot` stands in its chunk, if it has the labels of `series`; nil if it does not. A series
    /// that is left out stands nowhere, and has 0.
    func position(of slot: Int32, like series: PackedSeries) -> Int? {
        let place = slots[slot].place
        if place == .none { return duplicates[slot]?.hasSameKey(as: series) == true ? 0 : nil }
        return families[slots[slot].family].sorted.position(
            of: slot, inChunkAt: slots.position(of: place), hint: place.hint, like: series)
    }

    /// Adds a series and yields its slot.
    mutating func addSeries(_ series: PackedSeries, _ hash: UInt64, family: Int32, group: Int32) -> Int32 {
        let slot = slots.allocate(
            SlotTable.Slot(
                hash: hash, place: .none, group: group, family: family, next: SlotTable.none))
        guard let rival = shownSlot(like: series, hash, family: family) else {
            show(series, slot)
            return slot
        }
        if precedes(group, slots[rival].group), let loser = self.series(rival) {
            hide(rival, loser)
            leaveOut(loser, rival)
            show(series, slot)
        } else {
            leaveOut(series, slot)
        }
        return slot
    }

    /// Puts a new value in place of the old one; the labels are the same.
    /// - Parameter known: What ``position(of:like:)`` said.
    mutating func replaceSeries(_ slot: Int32, at known: Int? = nil, with series: PackedSeries) {
        let family = slots[slot].family
        let place = slots[slot].place
        guard place != .none else { return duplicates.replace(slot, with: series) }
        // First, so that the family's list of chunks is not shared any more, unless a scrape is being sent.
        families[family].touch()
        let hint = known ?? place.hint
        if hint != place.hint { slots[slot].place = ChunkPlace(chunk: place.chunk, hint: hint) }
        let old = families[family].sorted.replace(
            slot, inChunkAt: slots.position(of: place), hint: hint, with: series, &slots)
        if old != series.head {
            families[family].count(old, by: -1)
            families[family].count(series.head, by: 1)
        }
    }

    /// Sets the number of a series that is a gauge.
    mutating func setGauge(_ slot: Int32, _ value: Double) {
        let family = slots[slot].family
        let place = slots[slot].place
        guard place != .none else {
            guard var series = duplicates[slot] else { return }
            series.setGauge(value)
            return duplicates.replace(slot, with: series)
        }
        families[family].touch()
        let position = families[family].sorted.setGauge(
            slot, inChunkAt: slots.position(of: place), hint: place.hint, value, &slots)
        if position != place.hint { slots[slot].place = ChunkPlace(chunk: place.chunk, hint: position) }
    }

    /// Removes a series; one that was left out in its favour is shown now.
    mutating func removeSeries(_ slot: Int32) {
        let hash = slots[slot].hash
        let family = slots[slot].family
        guard slots[slot].place != .none else {
            duplicates.remove(slot, hash)
            families[family].duplicateCount -= 1
            families[family].view = nil
            return slots.release(slot)
        }
        let removed = series(slot)
        if let removed { hide(slot, removed) }
        slots.release(slot)
        guard !duplicates.isEmpty, let removed else { return }
        let heirs = duplicates.slots(hash).filter {
            slots[$0].family == family && (duplicates[$0]?.hasSameKey(as: removed) ?? false)
        }
        if let heir = heirs.min(by: { precedes(slots[$0].group, slots[$1].group) }), let series = duplicates[heir] {
            duplicates.remove(heir, hash)
            families[family].duplicateCount -= 1
            show(series, heir)
        }
    }

    private mutating func show(_ series: PackedSeries, _ slot: Int32) {
        let family = slots[slot].family
        families[family].view = nil
        families[family].count(series.head, by: 1)
        families[family].sorted.insert(series, slot, &slots)
        let slots = self.slots
        index.insert(slots[slot].hash, slot) { slots[$0].hash }
    }

    private mutating func hide(_ slot: Int32, _ series: PackedSeries) {
        let family = slots[slot].family
        families[family].view = nil
        families[family].count(series.head, by: -1)
        index.remove(slots[slot].hash, slot)
        families[family].sorted.remove(slot, &slots)
    }

    private mutating func leaveOut(_ series: PackedSeries, _ slot: Int32) {
        duplicates.insert(series, slot, slots[slot].hash)
        families[slots[slot].family].duplicateCount += 1
        families[slots[slot].family].view = nil
    }

    private func precedes(_ left: Int32, _ right: Int32) -> Bool {
        left != right && groups[Int(left)].key < groups[Int(right)].key
    }
}
