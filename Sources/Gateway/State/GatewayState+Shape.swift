internal import MetricModel

/// Pushes of a shape that their group had last: numbers are put in place, nothing else is looked at.
///
/// That this comes to the same as ``apply(_:known:)`` rests on three things: the group has exactly the families and
/// series of the shape, in its order (``GroupRecord/shape``); all its series are shown; and since it was checked last no
/// family has changed the type under which it is exposed (``FamilyTable/generation``).
extension GatewayState {
    /// A series of the group that is pushed to.
    private struct Found {
        var chunk: Unmanaged<SeriesChunk>
        var position: Int
    }

    /// Puts the numbers of a push in place.
    /// - Parameter encoding: Whether ``Effect/encoded`` is wanted.
    /// - Returns: The group's number, and the push as an effect if it is wanted; nil, and nothing is changed, unless the
    ///   group was last pushed in this shape.
    /// - Complexity: O(series).
    mutating func apply(_ push: ShapedPush, encoding: Bool) -> (group: Int32, encoded: [UInt8])? {
        guard let number = groupNumbers[push.group], groups[Int(number)].shape == push.shape.id,
            push.check == .none || groups[Int(number)].generation == families.generation, push.mode != .accumulate
        else { return nil }
        slots.prefetch(groups[Int(number)].members, and: groups[Int(number)].pushTimeSlot)
        var encoded: [UInt8]?
        let isDone = withUnsafeTemporaryAllocation(of: Found.self, capacity: push.shape.seriesCount) { found in
            guard find(number, found) else { return false }
            for target in push.shape.targets {
                // SAFETY: `find` has set all places; the families hold the chunks.
                let place = found[Int(target.series)]
                place.chunk._withUnsafeGuaranteedRef {
                    $0.store(push.numbers[Int(target.number)], at: place.position, fromEnd: Int(target.fromEnd))
                }
            }
            if encoding { encoded = encode(push, found) }
            return true
        }
        guard isDone else { return nil }
        for index in groups[Int(number)].members.indices { groups[Int(number)].members[index].time = push.time }
        setPushTime(push.time, of: number, changed: push.time)
        setLifetime(GroupLifetime(push.lifetime, from: push.time), of: number)
        setQuota(0, of: number)
        return (number, encoded ?? [])
    }

    /// Notes that the group has the families and series of `push`, and nothing else.
    mutating func setShape(of number: Int32, _ push: PreparedPush) {
        groups[Int(number)].shape = 0
        guard let shape = push.shape, groups[Int(number)].members.count == push.families.count else { return }
        for (member, family) in zip(groups[Int(number)].members, push.families) {
            guard families[member.family].name == family.name else { return }
        }
        groups[Int(number)].shape = shape.id
        groups[Int(number)].generation = push.check == .consistency ? families.generation : 0
    }

    /// Finds the group's series in order, makes their chunks the state's own, and forgets what scrapes made of them.
    /// - Returns: Whether all are shown.
    private mutating func find(_ number: Int32, _ found: UnsafeMutableBufferPointer<Found>) -> Bool {
        var index = 0
        for member in groups[Int(number)].members {
            families[member.family].touch()
            var slot = member.first
            var chunkNumber: Int32 = -1
            var last: Found?
            for _ in 0..<member.count {
                guard index < found.count else { return false }
                let one: Found
                // The next series mostly stands behind the last one: then its slot need not be read.
                if member.isRun, let last,
                    last.chunk._withUnsafeGuaranteedRef({ $0.holds(slot, at: last.position + 1) })
                {
                    one = Found(chunk: last.chunk, position: last.position + 1)
                } else {
                    let place = slots[slot].place
                    guard place != .none else { return false }
                    let chunk: Unmanaged<SeriesChunk>
                    if let last, place.chunk == chunkNumber {
                        chunk = last.chunk
                    } else {
                        chunk = families[member.family].sorted.writable(slots.position(of: place), &slots)
                        chunkNumber = place.chunk
                    }
                    guard let position = chunk._withUnsafeGuaranteedRef({ $0.position(of: slot, hint: place.hint) })
                    else { return false }
                    one = Found(chunk: chunk, position: position)
                }
                // SAFETY: the index is below the count; the type is trivial.
                found.initializeElement(at: index, to: one)
                last = one
                index += 1
                slot = member.isRun ? slot + 1 : slots[slot].next
            }
        }
        return index == found.count
    }

    /// The push as ``Effect/push(_:)`` has it, of series that have their new numbers already.
    private func encode(_ push: ShapedPush, _ found: UnsafeMutableBufferPointer<Found>) -> [UInt8] {
        var size = 0
        for one in found { size += one.chunk._withUnsafeGuaranteedRef { $0.byteCount(at: one.position) } + 2 }
        var series = 0
        return Effect.encoded(push, size: size) { writer in
            let one = found[series]
            one.chunk._withUnsafeGuaranteedRef { $0.append(seriesAt: one.position, to: &writer) }
            series += 1
        }
    }
}
