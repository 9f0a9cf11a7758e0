internal import MetricModel

/// What comes with samples: exemplars and start timestamps.
extension ScrapeAppender {
    /// Adds an exemplar to the series of entry `index`, whose sample is already handed over.
    func addExemplar(_ index: Int, _ exemplar: Exemplar, at time: Timestamp, _ batch: any SampleBatch) {
        let reference = cache.entries[index].reference
        guard reference != 0 else { return }
        var exemplar = exemplar
        let hash = cache.entries[index].hash
        if exemplar.timestamp == nil {
            // The target shows the one it showed before: without a time there is nothing new about it.
            if untimedExemplars[hash] == exemplar { return }
            if untimedExemplars.count > 2 * cache.count + 1000 { untimedExemplars.removeAll(keepingCapacity: true) }
            untimedExemplars[hash] = exemplar
            exemplar.timestamp = time
        } else if !untimedExemplars.isEmpty {
            untimedExemplars[hash] = nil
        }
        do throws(SampleRejection) {
            try batch.append(reference, exemplar: exemplar)
        } catch {
            if error == .outOfOrder { metrics.outOfOrderExemplars.increment() }
        }
    }

    /// Adds the zero of the series' start, if one is known and wanted.
    /// - Returns: the start to be stored with the sample; 0 for none.
    func noteStart(
        _ index: Int, before time: Timestamp, histogram: HistogramValue.NativePart?, _ batch: any SampleBatch
    ) -> Timestamp {
        guard let start = startTime(of: index) else { return 0 }
        if options.addsStartZeros, start < time, isNewStart(start, of: index) {
            addStart(index, start, before: time, histogram: histogram, batch)
        }
        return options.storesStarts ? start : 0
    }

    private func addStart(
        _ index: Int, _ start: Timestamp, before time: Timestamp, histogram: HistogramValue.NativePart?,
        _ batch: any SampleBatch
    ) {
        flush(batch)
        // Starts are a help, not a duty: what cannot be added is left out.
        do throws(SampleRejection) {
            try batch.appendStartZero(
                cache.entries[index].reference, { self.labelsAgain(index) }, start: start, before: time,
                histogram: histogram)
        } catch {}
    }
}
