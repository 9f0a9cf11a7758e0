/// What a command line said, with defaults filled in.
package struct ParsedFlags: Sendable {
    private var values: [String: [String]] = [:]
    /// The values of the table's arguments, by name.
    private var words: [String: [String]] = [:]
    /// Which flags were given on the command line.
    package private(set) var given: Set<String> = []
    private let table: FlagTable

    /// Reads `arguments`, without the program's and the command's name.
    /// - Parameter readFile: Gives the lines of a file named as `@file`, or nil.
    /// - Throws: ``CommandLineError`` in kingpin's words.
    package init(
        _ arguments: [String], table: FlagTable, readFile: (String) -> [String]? = { _ in nil }
    ) throws(CommandLineError) {
        self.table = table
        for flag in table.flags {
            values[flag.name] = try flag.defaults.map { value throws(CommandLineError) in try flag.normalized(value) }
        }
        var reader = try WordReader(arguments, readFile)
        var plain: [String] = []
        while let word = reader.next() {
            switch word {
            case .argument(let text): plain.append(text)
            case .long(let name): try take(name, "--" + name, table.flag(name), &reader)
            case .short(let letter):
                let flag = table.flags.first { $0.short == letter }
                try take(String(letter), "-\(letter)", flag.map { ($0, false) }, &reader)
            }
        }
        // Help and the like work without the arguments that are required otherwise.
        if !asksForText { try assign(plain) }
    }

    /// Whether the command line asks for help, a version or a script instead of running something.
    package var asksForText: Bool {
        !given.isDisjoint(with: [
            "help", "help-long", "help-man", "version", "completion-script-bash", "completion-script-zsh",
        ])
    }

    /// The value of a flag that has one; empty without.
    package subscript(name: String) -> String { values[name]?.last ?? "" }

    /// All values of a repeatable flag.
    package func all(_ name: String) -> [String] { values[name] ?? [] }

    /// Whether a switch is on.
    package func isOn(_ name: String) -> Bool { self[name] == "true" }

    /// The value of a flag for a time.
    package func duration(_ name: String) -> Duration { GoDuration(self[name])?.duration ?? .zero }

    /// The value of a flag for a whole number.
    package func integer(_ name: String) -> Int { Int(self[name]) ?? 0 }

    /// The value of a flag for a number of bytes.
    package func bytes(_ name: String) -> Int { ByteSize(self[name])?.bytes ?? 0 }

    /// The values of an argument.
    package func argument(_ name: String) -> [String] { words[name] ?? [] }

    /// Flags and values as `/api/v1/status` shows them, sorted by name.
    package var listing: [(name: String, value: String)] {
        table.flags.filter(\.isListed).sorted { $0.name < $1.name }.map { flag in
            let value = flag.isToggle ? (isOn(flag.name) ? "true" : "false") : all(flag.name).joined(separator: "\n")
            return (flag.name, value)
        }
    }

    private mutating func take(
        _ name: String, _ shown: String, _ found: (flag: FlagTable.Flag, isInverted: Bool)?, _ reader: inout WordReader
    ) throws(CommandLineError) {
        guard let (flag, isInverted) = found else {
            throw CommandLineError("unknown \(shown.hasPrefix("--") ? "long" : "short") flag '\(shown)'")
        }
        let value: String
        if flag.isToggle {
            value = isInverted ? "false" : "true"
        } else {
            guard let word = reader.takeArgument() else {
                throw CommandLineError("expected argument for flag '\(shown)'")
            }
            value = try flag.normalized(word)
        }
        if given.insert(flag.name).inserted {
            values[flag.name] = [value]
        } else {
            guard flag.isRepeatable else { throw CommandLineError("flag '\(flag.name)' cannot be repeated") }
            values[flag.name, default: []].append(value)
        }
    }

    private mutating func assign(_ plain: [String]) throws(CommandLineError) {
        var rest = plain[...]
        for argument in table.arguments {
            if argument.isRepeatable {
                words[argument.name] = Array(rest)
                rest = []
            } else if let first = rest.popFirst() {
                words[argument.name] = [first]
            }
            if argument.isRequired, (words[argument.name] ?? []).isEmpty {
                throw CommandLineError("required argument '\(argument.name)' not provided")
            }
        }
        if let extra = rest.first { throw CommandLineError("unexpected \(extra)") }
    }
}

/// Splits a command line into flags and arguments.
private struct WordReader {
    enum Word {
        case long(String)
        case short(Character)
        case argument(String)
    }

    private var words: [Word] = []
    private var position = 0

    init(_ arguments: [String], _ readFile: (String) -> [String]?) throws(CommandLineError) {
        var isPlain = false
        for argument in arguments {
            if isPlain || argument == "-" || argument.isEmpty {
                words.append(.argument(argument))
            } else if argument == "--" {
                isPlain = true
            } else if argument.hasPrefix("--") {
                Self.long(argument, &words)
            } else if argument.hasPrefix("-") {
                for letter in argument.dropFirst() { words.append(.short(letter)) }
            } else if argument.hasPrefix("@"), argument.count > 1 {
                guard let lines = readFile(String(argument.dropFirst())) else {
                    throw CommandLineError("open \(argument.dropFirst()): no such file or directory")
                }
                for line in lines where !line.isEmpty && !line.hasPrefix("#") {
                    if line.hasPrefix("--") { Self.long(line, &words) } else { words.append(.argument(line)) }
                }
            } else {
                words.append(.argument(argument))
            }
        }
    }

    private static func long(_ argument: String, _ words: inout [Word]) {
        let text = argument.dropFirst(2)
        guard let equals = text.firstIndex(of: "=") else {
            words.append(.long(String(text)))
            return
        }
        words.append(.long(String(text[..<equals])))
        words.append(.argument(String(text[text.index(after: equals)...])))
    }

    mutating func next() -> Word? {
        guard position < words.count else { return nil }
        defer { position += 1 }
        return words[position]
    }

    mutating func takeArgument() -> String? {
        guard position < words.count, case .argument(let text) = words[position] else { return nil }
        position += 1
        return text
    }
}
