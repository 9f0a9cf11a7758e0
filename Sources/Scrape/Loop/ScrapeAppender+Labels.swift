internal import ByteCoding
internal import MetricModel

/// The labels of series, made when one is new and when its store forgot it.
extension ScrapeAppender {
    /// The labels to be stored for entry `index`, checked; nil if relabelling drops the series, which is remembered.
    func storedLabels(_ index: Int) throws(ScrapeFailure) -> Labels? {
        if cache.entries[index].kind == .dropped { return nil }
        guard let labels = mutator.apply(try scrapedLabels(index)) else {
            cache.entries[index].kind = .dropped
            return nil
        }
        if labels.isEmpty {
            cache.entries[index].kind = .dropped
            return nil
        }
        guard let name = labels.metricName else { throw ScrapeFailure("missing metric name (__name__ label)") }
        let isValid =
            options.validation.isMetricName(name)
            && labels.pairs.allSatisfy { options.validation.isLabelName($0.name) && $0.value.isValidUTF8 }
        guard isValid else { throw ScrapeFailure("invalid metric name or label names: \(labels)") }
        do throws(ScrapeFailure) {
            try options.limits.check(labels)
        } catch {
            metrics.labelLimitsExceeded.increment()
            throw error
        }
        return labels
    }

    /// The labels as the target gave them.
    func scrapedLabels(_ index: Int) throws(ScrapeFailure) -> Labels {
        let hash = cache.entries[index].hash
        if let known = knownLabels[hash] { return known }
        let type = MetricType(rawValue: cache.entries[index].type) ?? .unknown
        let labels: Labels
        do throws(ScrapeFailure) {
            labels = try SeriesText.labels(cache.key(index), type: type, isOpenMetrics: isOpenMetrics)
        } catch {
            // A line that cannot be read is no sample.
            if counts.scraped > 0 { counts.scraped &-= 1 }
            throw error
        }
        try SeriesText.checkUnique(labels)
        guard options.addsTypeAndUnitLabels else { return labels }
        // The unit is known only now.
        let complete = withTypeAndUnit(labels)
        keepLabels(complete, hash: hash)
        return complete
    }

    /// Keeps labels that cannot be read from a key again.
    func keepLabels(_ labels: Labels, hash: UInt64) {
        if knownLabels.count > 2 * cache.count + 1000 { knownLabels.removeAll(keepingCapacity: true) }
        knownLabels[hash] = labels
    }

    /// The labels with those that tell the type and unit of the present family, where that is asked for.
    func withTypeAndUnit(_ labels: Labels) -> Labels {
        guard options.addsTypeAndUnitLabels else { return labels }
        let unit = family.index >= 0 ? metadata.family(Int(family.index))?.metadata.unit ?? "" : ""
        var builder = LabelsBuilder(labels)
        for name in MetricMetadata.labelNames { builder.remove(name) }
        for label in MetricMetadata(type: type, unit: unit).labels { builder.set(label.name, label.value) }
        return builder.labels()
    }

    /// The labels of a series that was stored before.
    func labelsAgain(_ index: Int) -> Labels {
        do throws(ScrapeFailure) {
            if cache.entries[index].kind == .report {
                return mutator.report(ByteString(Array(cache.key(index).dropLast())))
            }
            return mutator.apply(try scrapedLabels(index)) ?? .empty
        } catch {
            return .empty
        }
    }
}
