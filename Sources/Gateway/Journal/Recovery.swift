internal import DurableFiles

/// Reads what a store left on disk: the snapshot, or a file of Pushgateway's, and the journal behind it.
struct Recovery {
    private(set) var state: GatewayState
    /// The number of the next segment.
    private(set) var nextSegment: UInt64 = 1
    /// The sequence number of the next frame.
    private(set) var nextSequence: UInt64 = 1
    private(set) var events: [StoreEvent] = []
    /// Whether the state must be written anew, since files had to be set aside.
    private(set) var needsSnapshot = false
    /// Segments that a snapshot makes superfluous.
    private(set) var segments: [UInt64] = []

    private let fileSystem: any FileSystem
    private let path: String
    private var effectCount = 0

    init(_ fileSystem: any FileSystem, path: String, empty: GatewayState) throws(StoreError) {
        self.fileSystem = fileSystem
        self.path = path
        state = empty
        do throws(FileError) {
            // Left from a snapshot that was interrupted.
            let unfinished = path + AtomicReplace.unfinishedSuffix
            if try fileSystem.exists(unfinished) { try fileSystem.remove(unfinished) }
        } catch {
            throw .file(error)
        }
        let first = try readSnapshot()
        try readJournal(from: first)
        events.append(.recovered(groups: state.groupCount, effects: effectCount))
    }

    /// - Returns: The number of the first segment that the snapshot does not cover.
    private mutating func readSnapshot() throws(StoreError) -> UInt64 {
        guard let bytes = try contents(path), !bytes.isEmpty else { return 0 }
        switch JournalFrame.fileHeader(of: bytes, StoreLayout.snapshotMagic) {
        case .valid(let first, let salt):
            var isComplete = false
            var reader = FrameReader(bytes, from: StoreLayout.fileHeaderSize, salt: salt)
            reading: while true {
                switch reader.next() {
                case .frame(let frame):
                    isComplete = frame.effects.isEmpty
                    replay(frame)
                case .damage(let range, _):
                    setAside(path) { .damaged(path: $0, offset: range.lowerBound, count: range.count, setAside: $1) }
                case .end: break reading
                }
            }
            if !isComplete {
                setAside(path) { .damaged(path: $0, offset: bytes.count, count: 0, setAside: $1) }
            }
            return first
        case .unsupported(let version): throw .unsupportedVersion(path: path, version: version)
        case .damaged:
            importForeign(bytes)
            return 0
        }
    }

    private mutating func importForeign(_ bytes: [UInt8]) {
        needsSnapshot = true
        do throws(GobError) {
            let groups = try PushgatewayFile(bytes).groups
            for group in groups { state.restore(group) }
            let kept = StoreLayout.importedPath(path)
            let isKept = (try? fileSystem.link(path, to: kept)) != nil
            events.append(.imported(groups: groups.count, keptAs: isKept ? kept : path))
        } catch {
            setAside(path) { .damaged(path: $0, offset: error.offset, count: bytes.count - error.offset, setAside: $1) }
            for group in error.groups { state.restore(group) }
        }
    }

    private mutating func readJournal(from first: UInt64) throws(StoreError) {
        let directory = PathName.parent(of: path)
        let names: [String]
        do throws(FileError) { names = try fileSystem.list(directory) } catch { throw .file(error) }
        segments = names.compactMap { StoreLayout.segmentNumber($0, of: path) }.sorted()
        nextSegment = max(first, (segments.last ?? 0) + 1, 1)
        var expected: UInt64?
        for number in segments where number >= first {
            if let expected, number != expected {
                events.append(.missing(path: StoreLayout.segmentPath(path, expected)))
            }
            expected = number + 1
            try readSegment(number, isLast: number == segments.last)
        }
    }

    private mutating func readSegment(_ number: UInt64, isLast: Bool) throws(StoreError) {
        let name = StoreLayout.segmentPath(path, number)
        guard let bytes = try contents(name) else { return }
        switch JournalFrame.fileHeader(of: bytes, StoreLayout.segmentMagic) {
        case .unsupported(let version): throw .unsupportedVersion(path: name, version: version)
        case .damaged:
            // A segment that is made just before a crash may be empty or torn; nothing in it was acknowledged then.
            if isLast && bytes.count <= StoreLayout.fileHeaderSize {
                guard !bytes.isEmpty else { return }
                return setAside(name) { .tornTail(path: $0, offset: 0, count: bytes.count, setAside: $1) }
            }
            setAside(name) { .damaged(path: $0, offset: 0, count: bytes.count, setAside: $1) }
        case .valid(let stored, let salt):
            guard stored == number else {
                return setAside(name) { .damaged(path: $0, offset: 0, count: bytes.count, setAside: $1) }
            }
            readFrames(name, bytes, salt: salt, isLast: isLast)
        }
    }

    private mutating func readFrames(_ name: String, _ bytes: [UInt8], salt: UInt32, isLast: Bool) {
        var reader = FrameReader(bytes, from: StoreLayout.fileHeaderSize, salt: salt)
        while true {
            switch reader.next() {
            case .frame(let frame):
                replay(frame)
                nextSequence = max(nextSequence, frame.sequence &+ 1)
            case .damage(let range, let isFollowed):
                setAside(name) {
                    isLast && !isFollowed
                        ? .tornTail(path: $0, offset: range.lowerBound, count: range.count, setAside: $1)
                        : .damaged(path: $0, offset: range.lowerBound, count: range.count, setAside: $1)
                }
            case .end: return
            }
        }
    }

    private mutating func replay(_ frame: FrameReader.Frame) {
        for effect in frame.effects { state.replay(effect) }
        effectCount += frame.effects.count
    }

    private func contents(_ path: String) throws(StoreError) -> [UInt8]? {
        do throws(FileError) {
            return try fileSystem.exists(path) ? fileSystem.contents(path) : nil
        } catch {
            throw .file(error)
        }
    }

    /// Gives a damaged file a second name, under which it stays when the first is replaced or removed.
    private mutating func setAside(_ path: String, _ event: (String, String?) -> StoreEvent) {
        needsSnapshot = true
        if let earlier = keptNames[path] { return events.append(event(path, earlier)) }
        for attempt in 0..<100 {
            let name = StoreLayout.damagedPath(path, attempt: attempt)
            guard (try? fileSystem.exists(name)) == false else { continue }
            guard (try? fileSystem.link(path, to: name)) != nil else { break }
            keptNames[path] = name
            return events.append(event(path, name))
        }
        events.append(event(path, nil))
    }

    private var keptNames: [String: String] = [:]
}
