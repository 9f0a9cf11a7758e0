/// A file of the simulated disk: what a reader sees now, and what survived the last sync, with the changes between.
struct SimulatedInode {
    /// A change that was made and not synced.
    enum Change {
        case write(offset: Int, bytes: [UInt8])
        case resize(Int)
    }

    /// What a reader sees.
    var content: [UInt8] = []
    /// What a loss of power leaves for sure.
    var durable: [UInt8] = []
    /// In the order they were made.
    var pending: [Change] = []
    /// When the content last changed, in milliseconds.
    var modified: Int64 = 0

    mutating func apply(_ change: Change) {
        SimulatedInode.apply(change, to: &content)
        pending.append(change)
    }

    /// Makes the changes since the last sync durable; those that an earlier, failed sync gave up stay lost.
    mutating func sync() {
        for change in pending { SimulatedInode.apply(change, to: &durable) }
        pending = []
    }

    /// Gives up the changes since the last sync: they can be read, but no later sync writes them.
    mutating func failSync() { pending = [] }

    static func apply(_ change: Change, to content: inout [UInt8]) {
        switch change {
        case .resize(let size):
            if size < content.count {
                content.removeLast(content.count - size)
            } else {
                content += [UInt8](repeating: 0, count: size - content.count)
            }
        case .write(let offset, let bytes):
            let end = offset + bytes.count
            if end > content.count { content += [UInt8](repeating: 0, count: end - content.count) }
            content.withUnsafeMutableBytes { target in
                // SAFETY: `content` reaches to `end` at least.
                UnsafeMutableRawBufferPointer(rebasing: target[offset..<end]).copyBytes(from: bytes)
            }
        }
    }

    /// What a loss of power leaves: each change since the last sync is kept, lost or torn at 512 bytes, as the disk
    /// may have written them in any order.
    mutating func losePower(_ generator: inout SeededGenerator, _ damage: SimulatedDisk.Damage) {
        switch damage {
        case .keepAll:
            durable = content
        case .dropUnsynced:
            content = durable
        case .random:
            var survivor = durable
            for change in pending {
                switch (change, generator.next() % 4) {
                case (_, 0), (_, 1): SimulatedInode.apply(change, to: &survivor)
                case (_, 2): continue
                case (.resize, _): continue
                case (.write(let offset, let bytes), _):
                    SimulatedInode.tear(bytes, at: offset, into: &survivor, &generator)
                }
            }
            content = survivor
            durable = survivor
        }
        pending = []
    }

    private static func tear(
        _ bytes: [UInt8], at offset: Int, into content: inout [UInt8], _ generator: inout SeededGenerator
    ) {
        var position = 0
        while position < bytes.count {
            let sectorEnd = min(bytes.count, (offset + position) / 512 * 512 + 512 - offset)
            switch generator.next() % 3 {
            case 0: apply(.write(offset: offset + position, bytes: Array(bytes[position..<sectorEnd])), to: &content)
            case 1: break
            default:
                // Within the last sector of a growing file, any number of bytes may have arrived.
                let count = Int(generator.next() % UInt64(sectorEnd - position + 1))
                apply(
                    .write(offset: offset + position, bytes: Array(bytes[position..<(position + count)])), to: &content)
            }
            position = sectorEnd
        }
    }
}
