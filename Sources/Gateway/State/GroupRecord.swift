internal import MetricModel

/// A group: who has pushed when, and which families.
struct GroupRecord: Sendable {
    /// A family as this group has it.
    struct Member: Sendable {
        var family: Int32
        var type: MetricType
        /// Whether the slots of its series follow each other, from ``first`` on.
        var isRun = false
        /// The number of the text among the family's ``TextVotes``.
        var help: Int32
        var unit: Int32
        /// When it was pushed, in nanoseconds since 1970.
        var time: Int64
        /// The first of its series, in the order of the push; linked through ``SlotTable/Slot/next``.
        var first: Int32
        var count: Int32
    }

    let key: GroupingKey
    /// Whether the record stands for a group, and not for a free place in the list.
    var isUsed: Bool
    /// Of the last push that was taken, in nanoseconds since 1970; 0 if there was none.
    var pushTime: Int64 = 0
    /// Of the last push that was refused; 0 if there was none.
    var failureTime: Int64 = 0
    /// When `pushTime` was set, or the group made.
    var pushTimeChanged: Int64 = 0
    /// When `failureTime` was set, or the group made.
    var failureTimeChanged: Int64 = 0
    /// The series of `push_time_seconds`.
    var pushTimeSlot = SlotTable.none
    /// The series of `push_failure_time_seconds`.
    var failureTimeSlot = SlotTable.none
    /// How long the group stays.
    var lifetime = GroupLifetime.forever
    /// The series of `push_expiry_time_seconds`, if the lifetime ends at a time.
    var expiryTimeSlot = SlotTable.none
    /// What the group counts towards; 0 for nothing.
    var quota: UInt32 = 0
    /// The series that it counts there.
    var quotaSeries: Int32 = 0
    /// The shape of the last push, if the group has its families and series and nothing else, in its order; else 0.
    var shape: UInt64 = 0
    /// ``FamilyTable/generation`` when that push was checked; 0 if it was not.
    var generation: UInt64 = 0
    /// In the order in which they were first pushed.
    var members: [Member] = []

    init(key: GroupingKey) {
        self.key = key
        isUsed = true
    }

    /// A free place.
    init() {
        key = GroupingKey([])
        isUsed = false
    }
}
