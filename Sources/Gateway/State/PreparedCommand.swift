internal import MetricModel

/// A command made ready outside the store's lock.
indirect enum PreparedCommand: Sendable {
    case push(PreparedPush, encoded: [UInt8])
    case delete(GroupingKey)
    case deleteAll([GroupingKey], before: Int64)
    case wipe
    case batch([PreparedCommand], isAtomic: Bool)
    case once(IdempotencyKey, PreparedCommand)
    case expire(at: Int64, limit: Int)
    case scraped([ScrapedGroup], by: ByteString)

    /// - Parameter encoding: Whether effects will be written down, so that they are encoded now.
    init(_ command: Command, encoding: Bool) {
        switch command {
        case .push(let push): self = PreparedCommand.prepare(push, encoding)
        case .delete(let key): self = .delete(key)
        case .deleteAll(let keys, let time): self = .deleteAll(keys, before: time)
        case .wipe: self = .wipe
        case .batch(let pushes, let isAtomic):
            self = .batch(pushes.map { PreparedCommand.prepare($0, encoding) }, isAtomic: isAtomic)
        case .once(let key, let command): self = .once(key, PreparedCommand(command, encoding: encoding))
        case .expire(let now): self = .expire(at: now, limit: .max)
        case .scraped(let groups, let scraper): self = .scraped(groups, by: scraper)
        }
    }

    private static func prepare(_ push: Push, _ encoding: Bool) -> PreparedCommand {
        let prepared = PreparedPush(push)
        // What an accumulating push comes to is known only when it is applied.
        let isFinal = encoding && prepared.errors.isEmpty && prepared.mode != .accumulate
        return .push(prepared, encoded: isFinal ? Effect.push(prepared).encoded : [])
    }
}

/// Collects the effects of a command, if anybody writes them down or watches.
struct EffectLog {
    let isKept: Bool
    let isObserved: Bool
    private(set) var effects: [[UInt8]] = []
    /// What an observer is told, in order.
    private(set) var applied: [AppliedChange] = []

    init(isKept: Bool, isObserved: Bool = false) {
        self.isKept = isKept
        self.isObserved = isObserved
    }

    mutating func append(_ effect: @autoclosure () -> Effect) {
        guard isKept || isObserved else { return }
        let effect = effect()
        if isKept { effects.append(effect.encoded) }
        if isObserved, let change = AppliedChange(effect) { applied.append(change) }
    }

    /// - Parameter encoded: What `push` comes to as an effect.
    mutating func append(_ push: PreparedPush, encoded: [UInt8]) {
        if isKept { effects.append(encoded) }
        if isObserved { applied.append(.pushed(AppliedPush(push: push))) }
    }

    /// Adds an effect that was encoded already.
    mutating func append(encoded: [UInt8]) {
        if isKept { effects.append(encoded) }
    }

    /// Adds all that another log has.
    mutating func append(_ other: EffectLog) {
        effects += other.effects
        applied += other.applied
    }

    mutating func removeAll() {
        effects = []
        applied = []
    }
}

extension GatewayState {
    /// Does what `command` says, and notes what of it must be written down.
    mutating func perform(_ command: PreparedCommand, _ log: inout EffectLog) -> Outcome {
        switch command {
        case .push(let push, let encoded): return perform(push, encoded, &log)
        case .delete(let key):
            var keys = [key][...]
            remove(portionOf: &keys, before: .max, &log)
            return .accepted
        case .deleteAll(let keys, let time):
            var keys = keys[...]
            while !keys.isEmpty { remove(portionOf: &keys, before: time, &log) }
            return .accepted
        case .wipe:
            wipe()
            note(.wiped, nil, time: 0)
            log.append(.wipe)
            return .accepted
        case .batch(let pushes, let isAtomic):
            return isAtomic ? performTogether(pushes, &log) : .each(pushes.map { perform($0, &log) })
        case .once(let key, let command): return performOnce(key, command, &log)
        case .expire(let now, let limit):
            for key in expire(at: now, limit: limit) { log.append(.delete(key)) }
            return .accepted
        case .scraped(let groups, let scraper):
            for group in groups {
                switch credit(group, to: scraper) {
                case .none: break
                case .counted: log.append(.scraped(group, by: scraper))
                case .complete: log.append(.delete(group.key))
                }
            }
            return .accepted
        }
    }

    /// Removes those of `keys`, from the end, that come to a portion; they are taken off the list.
    /// - Parameter time: Groups that were pushed since (nanoseconds since 1970) stay.
    mutating func remove(
        portionOf keys: inout ArraySlice<GroupingKey>, before time: Int64, _ log: inout EffectLog
    ) {
        let portion = portion(of: &keys, before: time)
        delete(groups: portion.map(\.number))
        deletedCount += portion.count
        for (_, key) in portion {
            note(.deleted, key, time: 0)
            log.append(.delete(key))
        }
    }

    private mutating func perform(_ push: PreparedPush, _ encoded: [UInt8], _ log: inout EffectLog) -> Outcome {
        guard push.mode == .accumulate, push.isGroupValid, push.errors.isEmpty else {
            return finish(apply(push), push, encoded, &log)
        }
        do throws(AccumulationError) {
            let sum = try accumulated(push)
            return finish(apply(sum.push, known: sum.plans), sum.push, [], &log)
        } catch {
            return finish(refused(error.errors, push, isAlways: true), push, encoded, &log)
        }
    }

    private mutating func finish(
        _ applied: Applied, _ push: PreparedPush, _ encoded: [UInt8], _ log: inout EffectLog
    ) -> Outcome {
        switch applied.effect {
        case .none: break
        case .push(let group):
            // The stored key, of which the change is one more holder: the push's own would go thousands of changes later,
            // when its memory is in no cache any more.
            note(.pushed, groups[Int(group)].key, time: push.time)
            if encoded.isEmpty { log.append(.push(push)) } else { log.append(push, encoded: encoded) }
        case .failure:
            note(.failed, push.group, time: push.time)
            log.append(.failure(push.group, time: push.time, push.lifetime))
        }
        return applied.outcome
    }

    /// All pushes, or none: groups that were changed before a refusal are put back as they were.
    private mutating func performTogether(_ pushes: [PreparedCommand], _ log: inout EffectLog) -> Outcome {
        var undo: [(key: GroupingKey, old: GroupView?, quota: UInt32)] = []
        var own = EffectLog(isKept: log.isKept, isObserved: log.isObserved)
        for command in pushes {
            guard case .push(let push, _) = command else { continue }
            let quota = groupNumbers[push.group].map { groups[Int($0)].quota } ?? 0
            undo.append((push.group, group(push.group), quota))
            let outcome = perform(command, &own)
            guard case .refused = outcome else { continue }
            for step in undo.reversed() {
                if let old = step.old { restore(old) } else { delete(step.key) }
                if let number = groupNumbers[step.key] { setQuota(step.quota, of: number) }
            }
            // That the request failed is shown by the group that made it fail.
            if case .refused(.inconsistent) = outcome, push.isGroupValid, canMark(push.group) {
                markFailed(push.group, time: push.time, push.lifetime, quota: push.quota?.id ?? 0)
                log.append(.failure(push.group, time: push.time, push.lifetime))
            }
            return outcome
        }
        log.append(own)
        return .accepted
    }

    private mutating func performOnce(
        _ key: IdempotencyKey, _ command: PreparedCommand, _ log: inout EffectLog
    ) -> Outcome {
        if let entry = remembered.entry(for: key) {
            guard entry.key.fingerprint == key.fingerprint else {
                return .refused(
                    .keyReused("the idempotency key was used for another request; use a new key for each request"))
            }
            return .repeated(entry.outcome)
        }
        let outcome = perform(command, &log)
        // What the client should try again must not be answered from memory.
        switch outcome {
        case .refused(.limit), .refused(.unavailable), .refused(.closing), .refused(.keyReused), .repeated: break
        case .accepted, .refused(.inconsistent), .each:
            let entry = RememberedOutcomes.Entry(key: key, outcome: outcome)
            remembered.insert(entry)
            log.append(.remembered(entry))
        }
        return outcome
    }
}
