import DurableFiles
import TestSupport
import Testing

@Suite struct SimulatedDiskTests {
    @Test func `what was synced survives, the rest does not`() throws {
        let disk = SimulatedDisk()
        let file = try disk.open("/a", .readWrite)
        try file.append([1, 2])
        try file.sync(.data)
        try disk.syncDirectory("/")
        try file.append([3])
        disk.restart(.dropUnsynced)
        #expect(try disk.contents("/a") == [1, 2])
        #expect(throws: FileError.self) { try file.append([4]) }
    }

    @Test func `a name that was not synced is lost with its file`() throws {
        let disk = SimulatedDisk()
        let file = try disk.open("/a", .readWrite)
        try file.append([1, 2])
        try file.sync(.all)
        disk.restart(.dropUnsynced)
        #expect(disk.paths == [])
    }

    @Test func `atomic replace leaves the old content or the new, wherever it is cut`() throws {
        for damage in SimulatedDisk.Damage.allCases {
            for seed in 0..<20 as Range<UInt64> {
                for last in 0..<12 {
                    let disk = SimulatedDisk(seed: seed)
                    let old = [UInt8](repeating: 1, count: 2000)
                    let new = [UInt8](repeating: 2, count: 3000)
                    try AtomicReplace(on: disk).replace("/a", with: old)
                    disk.faults.crashAfterOperation = disk.operationCount + last
                    var isAcknowledged = false
                    if (try? AtomicReplace(on: disk).replace("/a", with: new)) != nil { isAcknowledged = true }
                    disk.restart(damage)
                    let found = try disk.contents("/a")
                    #expect(found == new || (!isAcknowledged && found == old), "seed \(seed), \(last), \(damage)")
                }
            }
        }
    }

    @Test func `a full disk takes a part, and all again when space returns`() throws {
        let disk = SimulatedDisk()
        let file = try disk.open("/a", .readWrite)
        disk.faults.capacity = 10
        let refusal = #expect(throws: FileError.self) { try file.append([UInt8](repeating: 1, count: 12)) }
        #expect(refusal?.isOutOfSpace == true)
        #expect(try file.size() == 10)
        disk.faults.capacity = nil
        try file.append([2])
        #expect(try file.size() == 11)
    }

    @Test func `the Nth sync fails and makes nothing durable`() throws {
        let disk = SimulatedDisk()
        let file = try disk.open("/a", .readWrite)
        try disk.syncDirectory("/")
        disk.faults.failingSync = 2
        try file.append([1])
        try file.sync(.data)
        try file.append([2])
        #expect(throws: FileError.self) { try file.sync(.data) }
        disk.restart(.dropUnsynced)
        #expect(try disk.contents("/a") == [1])
    }
}
