internal import DurableFiles

/// Makes a damaged segment readable to others, without losing a record whose bytes are sound.
///
/// Upstream drops everything behind the first damage, later segments included; here only the damaged records go. What
/// was damaged is kept beside the segment under another name.
enum WALRepair {
    /// Rewrites the segment at `path` without its damaged records.
    /// - Parameters:
    ///   - file: Its content.
    ///   - outcome: What a scan of it found.
    ///   - isLast: Whether it is the newest segment, which may just end within a record after a crash.
    static func rewrite(
        _ path: String, _ file: MappedFile, _ outcome: WALScanner.Outcome, isLast: Bool, on fileSystem: any FileSystem
    ) throws(StoreError) {
        do throws(FileError) {
            if isLast && outcome.damages.allSatisfy({ $0.isTornTail }) {
                // Never acknowledged: cutting it off loses nothing.
                let segment = try fileSystem.open(path, .readWrite)
                try segment.truncate(to: Int64(outcome.endOfRecords))
                try segment.sync(.data)
                try segment.close()
                return
            }
            let repaired = path + WALFormat.unfinishedSuffix
            let target = try fileSystem.open(repaired, .truncate)
            try target.write(sound(file), at: 0)
            try target.sync(.all)
            try target.close()
            let damaged = path + WALFormat.damagedSuffix
            if try fileSystem.exists(damaged) { try fileSystem.remove(damaged) }
            try fileSystem.link(path, to: damaged)
            try fileSystem.rename(repaired, to: path)
            try fileSystem.syncDirectory(PathName.parent(of: path))
        } catch {
            throw .file(error)
        }
    }

    /// The sound records of a segment, as a segment.
    private static func sound(_ file: MappedFile) -> [UInt8] {
        var output = WireBuffer(capacity: file.count + WALFormat.pageSize)
        var pageUsed = 0
        var batch = WALRecordBatch()
        file.withUnsafeBytes { bytes in
            _ = WALScanner().scan(bytes) { record, _ in
                batch.removeAll()
                batch.record.put(record)
                // Uncompressed records need nothing that could fail.
                try? batch.finishRecord(.none)
                batch.appendFragments(to: &output, pageUsed: &pageUsed)
            }
        }
        return Array(output.bytes)
    }
}
