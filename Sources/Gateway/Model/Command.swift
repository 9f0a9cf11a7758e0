package import MetricModel

/// A change to the state, as it is ordered and replayed. Whatever a change depends on is in it: the state machine has no
/// clock.
package indirect enum Command: Sendable {
    /// `PUT`, `POST` and `PATCH` of metrics.
    case push(Push)
    /// `DELETE` of one group; one that is not there is no error.
    case delete(GroupingKey)
    /// Deletion of those of the groups whose last push, taken or refused, came before a time (nanoseconds since 1970).
    case deleteAll([GroupingKey], before: Int64)
    /// All groups go.
    case wipe
    /// Several groups in one request. Atomic: all or, with the first refusal, none; else each for itself, and the
    /// outcome is ``Outcome/each(_:)``.
    case batch([Push], isAtomic: Bool)
    /// A command that has an effect once, however often it is sent.
    case once(IdempotencyKey, Command)
    /// Groups whose lifetime has ended at a time (nanoseconds since 1970) go.
    case expire(at: Int64)
    /// A scraper has been sent groups whole.
    case scraped([ScrapedGroup], by: ByteString)
}

/// A group as a scraper was sent it.
package struct ScrapedGroup: Sendable, Hashable {
    package let key: GroupingKey
    /// Of its last push then: one that came since has not been sent.
    package let pushTime: Int64

    /// A group as it was sent.
    package init(key: GroupingKey, pushTime: Int64) {
        self.key = key
        self.pushTime = pushTime
    }
}

/// What tells a repeated request from a new one.
package struct IdempotencyKey: Sendable, Hashable {
    /// As the client chose it.
    package var key: ByteString
    /// A hash of the request: the same key with another request is a mistake of the client's.
    package var fingerprint: UInt64
    /// When the request came, in nanoseconds since 1970.
    package var time: Int64

    /// A key.
    package init(_ key: ByteString, fingerprint: UInt64, time: Int64) {
        self.key = key
        self.fingerprint = fingerprint
        self.time = time
    }
}

/// Metrics for one group.
package struct Push: Sendable {
    /// What happens to what the group already has.
    package enum Mode: UInt8, Sendable, Hashable {
        /// `POST`: families of the same name are replaced, others kept.
        case replaceFamilies = 0
        /// `PUT`: all is replaced.
        case replaceGroup = 1
        /// `PATCH`: what is pushed is added to what is there, by the rules of each type.
        case accumulate = 2
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
    /// How long the group stays from now on.
    package var lifetime: Lifetime
    /// For gauges of an accumulating push.
    package var gaugeRule: GaugeRule
    /// For gauges of these names instead.
    package var gaugeRules: [ByteString: GaugeRule] = [:]
    /// What the group counts towards.
    package var quota: GroupQuota?
    /// What `families` have beside their numbers, if that is known.
    package var shape: PushShape?

    /// A push.
    package init(
        group: GroupingKey, families: [MetricFamily], mode: Mode, check: Check = .consistency, time: Int64,
        lifetime: Lifetime = .forever, gaugeRule: GaugeRule = .last
    ) {
        self.lifetime = lifetime
        self.gaugeRule = gaugeRule
        self.group = group
        self.families = families
        self.mode = mode
        self.check = check
        self.time = time
    }
}

/// What became of a command.
package indirect enum Outcome: Sendable, Hashable {
    /// Done, and durable if the store has a file.
    case accepted
    /// Nothing was changed, except that the group may have been marked as failed.
    case refused(Refusal)
    /// Of each push of a batch that is not atomic.
    case each([Outcome])
    /// The request was answered before; this was the answer.
    case repeated(Outcome)
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
    /// The idempotency key was used for another request: 422.
    case keyReused(String)
    /// The store is being closed: 503.
    case closing

    package var description: String {
        switch self {
        case .inconsistent(let text):
            "pushed metrics are invalid or inconsistent with existing metrics: \(text)"
        case .limit(let text), .keyReused(let text): text
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
    /// Seconds since 1970 of the end of a group's lifetime; groups that stay do not have it.
    package static let expiryTimeName: ByteString = "push_expiry_time_seconds"
    static let expiryTimeHelp: ByteString = "Unix time when this group will be removed unless it is pushed again."
    static let failureTimeHelp: ByteString =
        "Last Unix time when changing this group in the Pushgateway failed."

    /// Whether a pushed family of this name is dropped, since the group has one of its own.
    static func isReserved(_ name: ByteString, _ lifetime: Lifetime) -> Bool {
        if name == pushTimeName || name == failureTimeName { return true }
        guard case .nanoseconds = lifetime else { return false }
        return name == expiryTimeName
    }
}
