internal import ByteCoding
internal import Exposition
internal import MetricModel

/// Native histograms, and classic ones that become native.
extension ScrapeAppender {
    /// Adds a number as it stands in a text, or keeps it for the histogram that it is a part of.
    @inline(__always)
    func addValue(
        _ index: Int, isNew: Bool, value: Double, ownTimestamp: Timestamp?, exemplar: Exemplar?,
        _ batch: any SampleBatch
    ) throws(ScrapeFailure) {
        if options.convertsClassicHistograms,
            try keepForHistogram(index, value: value, ownTimestamp: ownTimestamp, exemplar: exemplar, batch)
        {
            if !options.keepsClassicHistograms {
                // The line is part of the exposition though none of its samples is stored.
                _ = cache.appear(index)
                return
            }
        }
        try addSample(index, isNew: isNew, value: value, ownTimestamp: ownTimestamp, batch)
        guard let exemplar else { return }
        flush(batch)
        addExemplar(index, exemplar, at: (options.honorsTimestamps ? ownTimestamp : nil) ?? timestamp, batch)
    }

    /// Adds a native histogram of the series of entry `index`, within the limits.
    func addHistogram(
        _ index: Int, isNew: Bool, _ histogram: HistogramValue.NativePart, ownTimestamp: Timestamp?,
        exemplars: [Exemplar], _ batch: any SampleBatch
    ) throws(ScrapeFailure) {
        counts.scraped += 1
        let wasSeen = cache.appear(index)
        let isUnknown = isNew || cache.entries[index].reference == 0
        if isUnknown {
            guard try storedLabels(index) != nil else { return }
        }
        counts.added += 1
        let own = options.honorsTimestamps ? ownTimestamp : nil
        if wasSeen, own == nil {
            metrics.duplicateSamples.increment()
            return
        }
        let time = own ?? timestamp
        guard admit(time), let fitted = try fitted(histogram) else { return }
        flush(batch)
        let start = hasStarts || currentStart != nil ? noteStart(index, before: time, histogram: fitted, batch) : 0
        do throws(SampleRejection) {
            let reference = cache.entries[index].reference
            cache.entries[index].reference = try batch.append(
                reference, { self.labelsAgain(index) }, timestamp: time, histogram: fitted, start: start)
        } catch {
            if let failure = note(error) { throw failure }
            return
        }
        trackStored(index, hasOwnTimestamp: own != nil)
        if isUnknown, !isSampleLimitHit, !isBucketLimitHit { counts.seriesAdded += 1 }
        passMetadata(index, isNew: isUnknown, batch)
        let sorted = exemplars.filter { $0.timestamp != nil }
            .sorted { ($0.timestamp ?? 0, $0.value) < ($1.timestamp ?? 0, $1.value) }
        for exemplar in sorted { addExemplar(index, exemplar, at: time, batch) }
    }

    /// The histogram with as many buckets as it may have; nil if it cannot be reduced so far.
    private func fitted(_ histogram: HistogramValue.NativePart) throws(ScrapeFailure) -> HistogramValue.NativePart? {
        do throws(HistogramError) {
            let fitted = try options.histogramLimits.fitted(histogram)
            if fitted == nil { isBucketLimitHit = true }
            return fitted
        } catch {
            throw ScrapeFailure("\(error)")
        }
    }

    // MARK: Classic histograms

    /// Keeps a part of a classic histogram; the parts of the one before, if this belongs to another, are put together.
    /// - Returns: whether it is such a part.
    private func keepForHistogram(
        _ index: Int, value: Double, ownTimestamp: Timestamp?, exemplar: Exemplar?, _ batch: any SampleBatch
    ) throws(ScrapeFailure) -> Bool {
        guard type == .histogram, let part = try classicPart(index) else {
            try flushClassic(batch)
            return false
        }
        if classic.group != part.group { try flushClassic(batch) }
        classic.group = part.group
        classic.family = family
        classic.timestamp = ownTimestamp
        if let exemplar { classic.exemplars.append(exemplar) }
        switch part.kind {
        case .bucket(let bound): classic.converter.setBucket(bound, value)
        case .count: classic.converter.setCount(value)
        case .sum: classic.converter.setSum(value)
        }
        return true
    }

    private func classicPart(_ index: Int) throws(ScrapeFailure) -> ClassicHistogram.Part? {
        let hash = cache.entries[index].hash
        if let known = classic.parts[hash] { return known.part }
        let labels = try SeriesText.labels(cache.key(index), type: type, isOpenMetrics: isOpenMetrics)
        try SeriesText.checkUnique(labels)
        let part = ClassicHistogram.part(labels)
        if classic.parts.count > 2 * cache.count + 1000 { classic.parts.removeAll(keepingCapacity: true) }
        classic.parts[hash] = ClassicHistogram.Known(part: part)
        return part
    }

    /// Puts the kept parts together; parts that make no histogram are passed over, as Prometheus does.
    func flushClassic(_ batch: any SampleBatch) throws(ScrapeFailure) {
        guard let group = classic.group else { return }
        let converted = try? classic.converter.convert()
        let timestamp = classic.timestamp
        let exemplars = classic.exemplars
        // The lines of the next family may have been met already.
        let (present, presentFamily) = (type, family)
        type = .histogram
        family = classic.family
        defer { (type, family) = (present, presentFamily) }
        classic.reset()
        guard let converted else { return }
        // No exposition can hold this byte, so that scraped series never meet these.
        let key = [0xFE] + group.packedBytes
        let (index, isNew) = try entry(key, labels: group)
        try addHistogram(index, isNew: isNew, converted, ownTimestamp: timestamp, exemplars: exemplars, batch)
    }

    /// The entry for a series whose key is no text; its labels are kept.
    func entry(_ key: [UInt8], labels: @autoclosure () -> Labels) throws(ScrapeFailure) -> (index: Int, isNew: Bool) {
        let hash = ByteHash.hash(key)
        // SAFETY: the buffer is only read within the call.
        let found: (index: Int, isNew: Bool) = key.withUnsafeBufferPointer { buffer in
            if let index = cache.find(buffer, hash: hash) { return (index, false) }
            return (cache.insert(buffer, hash: hash, kind: .sample, type: type.rawValue), true)
        }
        if found.isNew || knownLabels[hash] == nil {
            keepLabels(withTypeAndUnit(labels()), hash: hash)
        }
        return found
    }
}

extension ByteHash {
    fileprivate static func hash(_ bytes: [UInt8]) -> UInt64 {
        // SAFETY: the buffer is only read within the call.
        bytes.withUnsafeBufferPointer { hash($0) }
    }
}

/// The parts of one classic histogram, as far as they were read.
struct ClassicHistogram {
    /// What a series is of its histogram.
    struct Part {
        enum Kind {
            case bucket(Double), count, sum
        }

        var kind: Kind
        /// The labels of the histogram.
        var group: Labels
    }

    /// Whether a series is a part; that it is none is known as well.
    struct Known {
        var part: Part?
    }

    var converter = ClassicHistogramConverter()
    var group: Labels?
    var timestamp: Timestamp?
    var exemplars: [Exemplar] = []
    /// What is known of its metric.
    var family: (index: Int32, isChanged: Bool) = (-1, false)
    /// By the hash of the series' key.
    var parts: [UInt64: Known] = [:]

    mutating func reset() {
        converter.reset()
        group = nil
        timestamp = nil
        exemplars = []
        family = (-1, false)
    }

    /// What the series with `labels` is of a histogram, if its name says so.
    static func part(_ labels: Labels) -> Part? {
        guard let name = labels.metricName else { return nil }
        func group(_ suffix: ByteString) -> Labels {
            labels.setting(Labels.metricName, ByteString(name.bytes.dropLast(suffix.count))).removing("le")
        }
        if name.hasSuffix("_bucket"), let text = labels["le"], let bound = FloatText.parse(text.bytes, .go) {
            return Part(kind: .bucket(bound), group: group("_bucket"))
        }
        if name.hasSuffix("_count") { return Part(kind: .count, group: group("_count")) }
        if name.hasSuffix("_sum") { return Part(kind: .sum, group: group("_sum")) }
        return nil
    }
}
