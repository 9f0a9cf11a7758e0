internal import Matching
internal import Synchronization

/// The series of the head that were selected lately, sorted by labels.
///
/// A selection holds until a series comes or goes; which samples a reader sees of its series is not part of it.
final class HeadSelections: Sendable {
    /// How often series came or went.
    private let version = Atomic<UInt64>(0)
    private let recent = RecentSelections<MemorySeries>(.init(entries: 64, series: 1 << 17))

    /// A series came: what was selected before it does not hold any more.
    ///
    /// To be called when a look-up finds the series, and before its first sample is committed.
    func invalidate() { version.wrappingAdd(1, ordering: .acquiringAndReleasing) }

    /// Series went: lets go of them, too.
    func removeAll() {
        invalidate()
        recent.removeAll()
    }

    /// The series that fulfil `matchers`, sorted by labels.
    /// - Parameter find: Looks them up, and sorts them.
    func series(
        _ matchers: [Matcher], _ find: () throws(StoreError) -> [MemorySeries]
    ) throws(StoreError) -> [MemorySeries] {
        let key = RecentSelections<MemorySeries>.Key(ObjectIdentifier(self), matchers)
        let current = version.load(ordering: .acquiring)
        if let known = recent.known(key, version: current) { return known }
        let found = try find()
        if version.load(ordering: .acquiring) == current { recent.keep(found, key, version: current) }
        return found
    }
}
