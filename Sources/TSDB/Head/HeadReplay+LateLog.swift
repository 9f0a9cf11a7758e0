internal import DurableFiles
internal import MetricModel

/// The log of samples that came late.
extension HeadReplay {
    /// Reads all its segments.
    func replayLateLog() throws(StoreError) {
        let path = PathName.join(directory, StoreLayout.lateLog)
        let segments = try WALListing(path, on: fileSystem).segments
        let current = head.lateLog.withLock { $0?.currentSegment } ?? .max
        for segment in segments where segment < current {
            try replay(PathName.join(path, WALFormat.segmentName(segment)), isLast: segment == segments.last) {
                self.applyLate($0, $1, $2)
            }
        }
    }

    private func applyLate(_ record: UnsafeRawBufferPointer, _ path: String, _ offset: Int) {
        do throws(WALRecordError) {
            let kind = try WALRecordDecoder.kind(record)
            switch kind {
            case .samples, .samplesV2:
                try WALRecordDecoder.samples(record) { row in
                    self.insertLate(
                        row.reference,
                        LateSample(timestamp: row.timestamp, value: .float(row.value), start: row.start))
                }
            case .histograms, .floatHistograms, .customBucketHistograms, .customBucketFloatHistograms,
                .histogramsV2, .floatHistogramsV2:
                _ = try WALRecordDecoder.histograms(record, kind) { row in
                    self.insertLate(
                        row.reference,
                        LateSample(timestamp: row.timestamp, value: .histogram(row.histogram), start: row.start))
                }
            case .chunkMarkers:
                for marker in try WALRecordDecoder.chunkMarkers(record) { dropMapped(marker) }
            case .series, .tombstones, .exemplars, .metadata: break
            }
        } catch {
            damageCount += 1
            events(.repaired(path: path, offset: Int64(offset), reason: error.reason))
        }
    }

    /// Forgets the late samples that a chunk holds. The chunk itself tells which: after a crash another one may stand
    /// where the marker's was.
    private func dropMapped(_ marker: WALRow.ChunkMarker) {
        guard let series = head.series.series(aliases[marker.reference] ?? marker.reference),
            let extra = series.extra, var chunks = extra.outOfOrder
        else { return }
        guard let mapped = chunks.mapped.first(where: { $0.reference == marker.chunk }) else {
            // Prometheus notes the number 0 for a series' first chunk before there is one.
            if marker.chunk != 0 { isLateChunkMissing = true }
            return
        }
        var columns = SampleColumns()
        // A chunk that cannot be read hides none of the samples that the log has.
        do throws(StoreError) {
            let chunk = try head.chunkFiles.read(mapped, of: series.reference)
            do throws(ChunkError) { try chunk.decode(into: &columns) } catch { return }
        } catch { return }
        let times = Set(columns.timestamps)
        chunks.buffer.removeAll { times.contains($0.timestamp) }
        extra.outOfOrder = chunks
    }

    private func insertLate(_ reference: UInt64, _ sample: LateSample) {
        guard let series = series(reference) else { return }
        sampleCount += 1
        let extra = series.extraMade
        var chunks = extra.outOfOrder ?? OutOfOrderChunks()
        extra.outOfOrder = nil
        _ = chunks.insert(sample)
        extra.outOfOrder = chunks
        head.noteLate(minimum: sample.timestamp, maximum: sample.timestamp)
    }
}
