/// Why a gob stream could not be read to its end, and what had been read until then.
struct GobError: Error {
    /// Where in the file.
    let offset: Int
    /// The groups before.
    var groups: [GroupView] = []
}

/// Reads Go's gob encoding: numbers, messages, and the types that a stream describes itself.
///
/// Total: each read is checked against the end, counts against what can follow, and nesting is bounded.
/// Source: the documentation of Go's package encoding/gob.
struct GobReader {
    /// What a type id stands for, as far as a file of Pushgateway's may need it.
    indirect enum WireType {
        case array(element: Int64)
        case slice(element: Int64)
        case structure(fields: [(name: [UInt8], type: Int64)])
        case map(key: Int64, element: Int64)
        /// Encodes itself to bytes.
        case opaque
    }

    /// Ids of the types that every stream knows.
    enum Basic {
        static let bool: Int64 = 1
        static let int: Int64 = 2
        static let uint: Int64 = 3
        static let float: Int64 = 4
        static let bytes: Int64 = 5
        static let string: Int64 = 6
        static let complex: Int64 = 7
    }

    private static let maximumDepth = 64
    private static let maximumTypes = 1000

    let bytes: [UInt8]
    var position = 0
    /// Where the message that is read ends.
    private var end = 0
    private(set) var types: [Int64: WireType] = [:]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        end = bytes.count
    }

    var error: GobError { GobError(offset: position) }

    /// Enters the next message that holds a value, reading type descriptions on the way.
    /// - Returns: The id of the value's type; nil at the end of the file.
    mutating func nextValue() throws(GobError) -> Int64? {
        while true {
            end = bytes.count
            guard position < bytes.count else { return nil }
            let length = try count()
            end = position + length
            let id = try int()
            guard id < 0 else { return id }
            guard types.count < GobReader.maximumTypes, id != .min else { throw error }
            types[-id] = try wireType()
            guard position == end else { throw error }
        }
    }

    // MARK: Basic values

    /// An unsigned number: itself up to 127, else the negated count of its bytes and these, the highest first.
    mutating func uint() throws(GobError) -> UInt64 {
        guard position < end else { throw error }
        let first = bytes[position]
        if first < 0x80 {
            position += 1
            return UInt64(first)
        }
        let count = Int(~first) + 1
        guard count <= 8, end - position > count else { throw error }
        var value: UInt64 = 0
        for offset in 1...count { value = value << 8 | UInt64(bytes[position + offset]) }
        position += 1 + count
        return value
    }

    mutating func int() throws(GobError) -> Int64 {
        let value = try uint()
        let magnitude = Int64(bitPattern: value >> 1)
        return value & 1 == 0 ? magnitude : ~magnitude
    }

    /// A number of things of which each takes at least one byte.
    mutating func count() throws(GobError) -> Int {
        let value = try uint()
        guard value <= UInt64(end - position) else { throw error }
        return Int(value)
    }

    /// Text, or what a type encoded itself to.
    mutating func data() throws(GobError) -> ArraySlice<UInt8> {
        let length = try count()
        defer { position += length }
        return bytes[position..<(position + length)]
    }

    /// Calls `body` with the number of each field that is there, from 0.
    mutating func structure(_ body: (inout GobReader, Int) throws(GobError) -> Void) throws(GobError) {
        var field = -1
        while true {
            let delta = try uint()
            if delta == 0 { return }
            guard delta < 1000, field < 10_000 else { throw error }
            field += Int(delta)
            try body(&self, field)
        }
    }

    /// Passes over a value.
    mutating func skip(_ type: Int64, depth: Int = 0) throws(GobError) {
        guard depth < GobReader.maximumDepth else { throw error }
        switch type {
        case Basic.bool, Basic.int, Basic.uint, Basic.float: _ = try uint()
        case Basic.bytes, Basic.string: _ = try data()
        case Basic.complex:
            _ = try uint()
            _ = try uint()
        default:
            guard let wireType = types[type] else { throw error }
            switch wireType {
            case .opaque: _ = try data()
            case .array(let element), .slice(let element):
                for _ in 0..<(try count()) { try skip(element, depth: depth + 1) }
            case .map(let key, let element):
                for _ in 0..<(try count()) {
                    try skip(key, depth: depth + 1)
                    try skip(element, depth: depth + 1)
                }
            case .structure(let fields):
                try structure { (reader, field) throws(GobError) in
                    guard field < fields.count else { throw reader.error }
                    try reader.skip(fields[field].type, depth: depth + 1)
                }
            }
        }
    }

    // MARK: Type descriptions

    private mutating func wireType() throws(GobError) -> WireType {
        var result: WireType?
        try structure { (reader, field) throws(GobError) in
            switch field {
            case 0, 1: result = try reader.listType(isArray: field == 0)
            case 2: result = try reader.structType()
            case 3: result = try reader.mapType()
            case 4, 5, 6: result = try reader.opaqueType()
            default: throw reader.error
            }
        }
        guard let result else { throw error }
        return result
    }

    /// Name and id, which each description begins with.
    private mutating func commonType() throws(GobError) {
        try structure { (reader, field) throws(GobError) in
            switch field {
            case 0: _ = try reader.data()
            case 1: _ = try reader.int()
            default: throw reader.error
            }
        }
    }

    private mutating func listType(isArray: Bool) throws(GobError) -> WireType {
        var element: Int64 = 0
        try structure { (reader, field) throws(GobError) in
            switch field {
            case 0: try reader.commonType()
            case 1: element = try reader.int()
            case 2 where isArray: _ = try reader.int()
            default: throw reader.error
            }
        }
        return isArray ? .array(element: element) : .slice(element: element)
    }

    private mutating func mapType() throws(GobError) -> WireType {
        var key: Int64 = 0
        var element: Int64 = 0
        try structure { (reader, field) throws(GobError) in
            switch field {
            case 0: try reader.commonType()
            case 1: key = try reader.int()
            case 2: element = try reader.int()
            default: throw reader.error
            }
        }
        return .map(key: key, element: element)
    }

    private mutating func opaqueType() throws(GobError) -> WireType {
        try structure { (reader, field) throws(GobError) in
            guard field == 0 else { throw reader.error }
            try reader.commonType()
        }
        return .opaque
    }

    private mutating func structType() throws(GobError) -> WireType {
        var fields: [(name: [UInt8], type: Int64)] = []
        try structure { (reader, field) throws(GobError) in
            switch field {
            case 0: try reader.commonType()
            case 1:
                for _ in 0..<(try reader.count()) { fields.append(try reader.fieldType()) }
            default: throw reader.error
            }
        }
        return .structure(fields: fields)
    }

    private mutating func fieldType() throws(GobError) -> (name: [UInt8], type: Int64) {
        var name: [UInt8] = []
        var type: Int64 = 0
        try structure { (reader, field) throws(GobError) in
            switch field {
            case 0: name = Array(try reader.data())
            case 1: type = try reader.int()
            default: throw reader.error
            }
        }
        return (name, type)
    }
}
