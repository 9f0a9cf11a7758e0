internal import MetricModel

/// The families by name and by number, and in the order in which they are exposed.
struct FamilyTable: Sendable {
    var own: [ByteString: OwnFamily] = [:]
    private var records: [FamilyRecord] = []
    private var free: [Int32] = []
    private var numbers: [ByteString: Int32] = [:]
    /// By name.
    private(set) var sorted: [Int32] = []
    /// Families that stay though no group has them.
    private var pinned: Set<Int32> = []

    /// A family that is in the table. Lent, not copied.
    subscript(number: Int32) -> FamilyRecord {
        _read { yield records[Int(number)] }
        _modify { yield &records[Int(number)] }
    }

    /// Changes whenever a name begins or ceases to be exposed, or is exposed with another type: what was found to fit
    /// together does so until then.
    private(set) var generation: UInt64 = 1

    /// Notes that one more group has a family, and with which type.
    mutating func addMember(_ number: Int32, _ type: MetricType) {
        changeExposure(of: number) { $0.addMember(type) }
    }

    /// Notes that a group has a family no longer.
    mutating func removeMember(_ number: Int32, _ type: MetricType) {
        changeExposure(of: number) { $0.removeMember(type) }
    }

    private mutating func changeExposure(of number: Int32, _ change: (inout FamilyRecord) -> Void) {
        let before = records[Int(number)].exposedType
        change(&records[Int(number)])
        if records[Int(number)].exposedType != before { generation += 1 }
    }

    func number(of name: ByteString) -> Int32? { numbers[name] }

    /// The family of `name`, made if it is not there.
    /// - Complexity: O(1) if it is there; else O(families) moves of four bytes.
    mutating func number(making name: ByteString) -> Int32 {
        if let number = numbers[name] { return number }
        let record = FamilyRecord(name: name, own: own[name])
        let number: Int32
        if let reused = free.popLast() {
            number = reused
            records[Int(number)] = record
        } else {
            number = Int32(truncatingIfNeeded: records.count)
            records.append(record)
        }
        numbers[name] = number
        sorted.insert(number, at: position(of: name))
        return number
    }

    mutating func pin(_ number: Int32, help: ByteString) {
        pinned.insert(number)
        _ = self[number].helps.add(help)
    }

    /// Removes the family if no group has it.
    mutating func removeIfUnused(_ number: Int32) {
        guard self[number].isUnused, !pinned.contains(number) else { return }
        let name = self[number].name
        numbers[name] = nil
        sorted.remove(at: position(of: name))
        records[Int(number)] = FamilyRecord(name: "", own: nil)
        free.append(number)
    }

    private func position(of name: ByteString) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if records[Int(sorted[middle])].name < name { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
