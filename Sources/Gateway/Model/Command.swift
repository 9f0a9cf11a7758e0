package import MetricModel

/// A change to the state, as it is ordered, journalled and replayed. Whatever a change depends on is in it: the state
/// machine has no clock.
///
/// Lifetimes, accumulation, idempotency keys and batches are further cases.
package enum Command: Sendable {
    /// `PUT` and `POST` of metrics.
    case push(Push)
    /// `DELETE` of one group; one that is not there is no error.
    case delete(GroupingKey)
    /// All groups go.
    case wipe
}

/// Metrics for one group.
package struct Push: Sendable {
    /// What happens to what the group already has.
    package enum Mode: UInt8, Sendable, Hashable {
        /// `POST`: families of the same name are replaced, others kept.
        case replaceFamilies = 0
        /// `PUT`: all is replaced.
        case replaceGroup = 1
    }

    /// Whether the push is refused if it does not fit what is stored.
    package enum Check: UInt8, Sendable, Hashable {
        /// Refused, and the group is marked as failed.
        case consistency = 0
        /// `--push.disable-consistency-check`: taken; what conflicts is left out of scrapes. Timestamps are still
        /// refused.
        case none = 1
    }

    /// The labels of the URL.
    package var group: GroupingKey
    /// As parsed, unsorted and without the group's labels. Of a repeated name the last family wins.
    package var families: [MetricFamily]
    /// What happens to what the group already has.
    package var mode: Mode
    /// Whether the push is refused if it does not fit.
    package var check: Check
    /// When the request came, in nanoseconds since 1970.
    package var time: Int64

    /// A push.
    package init(
        group: GroupingKey, families: [MetricFamily], mode: Mode, check: Check = .consistency, time: Int64
    ) {
        self.group = group
        self.families = families
        self.mode = mode
        self.check = check
        self.time = time
    }
}

/// What became of a command.
package enum Outcome: Sendable, Hashable {
    /// Done, and durable if the store has a file.
    case accepted
    /// Nothing was changed, except that the group may have been marked as failed.
    case refused(Refusal)
}

/// Why a command was not done. The text is complete and meant for the client.
package enum Refusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// The push is invalid or does not fit what is stored: 400. The group was marked as failed where that was
    /// possible.
    case inconsistent(String)
    /// One of the store's limits would be exceeded: 429.
    case limit(String)
    /// The store cannot make the command durable now; nothing was changed or, if the disk failed in the middle, it
    /// is not known whether the change survives a restart: 503, worth another try if `isRetriable`.
    case unavailable(String, isRetriable: Bool)
    /// The store is being closed: 503.
    case closing

    package var description: String {
        switch self {
        case .inconsistent(let text):
            "pushed metrics are invalid or inconsistent with existing metrics: \(text)"
        case .limit(let text): text
        case .unavailable(let text, _): text
        case .closing: "the gateway is shutting down"
        }
    }
}

/// A family that the process exposes of itself; pushed series may join it if their type agrees, and its help stays.
package struct OwnFamily: Sendable, Hashable {
    package let name: ByteString
    package let type: MetricType
    package let help: ByteString

    /// A family of our own.
    package init(name: ByteString, type: MetricType, help: ByteString) {
        self.name = name
        self.type = type
        self.help = help
    }
}

/// Names and help texts of the families that each group gets by itself.
package enum PushTimes {
    /// Seconds since 1970 of the last push that was taken; 0 if there was none.
    package static let pushTimeName: ByteString = "push_time_seconds"
    /// Seconds since 1970 of the last push that was refused; 0 if there was none.
    package static let failureTimeName: ByteString = "push_failure_time_seconds"
    static let pushTimeHelp: ByteString =
        "Last Unix time when changing this group in the Pushgateway succeeded."
    static let failureTimeHelp: ByteString =
        "Last Unix time when changing this group in the Pushgateway failed."
}
