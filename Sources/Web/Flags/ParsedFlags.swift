/// What a command line said, with defaults filled in.
package struct ParsedFlags: Sendable {
    private var values: [String: [String]] = [:]
    /// The values of the table's arguments, by name.
    private var words: [String: [String]] = [:]
    /// Which flags were given on the command line.
    package private(set) var given: Set<String> = []
    private let table: FlagTable

    /// Flags whose text is printed as soon as the command line was split, in kingpin's order: even if a flag behind
    /// them is unknown.
    private static let texts = [
        "help-long", "help-man", "completion-script-bash", "completion-script-zsh", "completion-script-fish", "version",
    ]

    /// Reads `arguments`, without the program's and the command's name.
    ///
    /// As kingpin does it: words are matched with flags up to the first error; `--version` and its like win over that
    /// error, the error over `--help`, and `--help` over values that are wrong.
    /// - Parameter readFile: Gives the lines of a file named as `@file`, or nil.
    /// - Throws: ``CommandLineError`` in kingpin's words; what is wrong with a value stands behind the flag's name.
    package init(
        _ arguments: [String], table: FlagTable, readFile: (String) -> [String]? = { _ in nil }
    ) throws(CommandLineError) {
        self.table = table
        for flag in table.flags {
            values[flag.name] = try flag.defaults.map { value throws(CommandLineError) in try flag.normalized(value) }
        }
        var plain: [String] = []
        var found: [(flag: FlagTable.Flag, value: String)] = []
        do throws(CommandLineError) {
            var reader = try WordReader(arguments, readFile)
            while let word = reader.next() {
                switch word {
                case .argument(let text): plain.append(text)
                case .long(let name): found.append(try Self.match("--" + name, table.flag(name), &reader))
                case .short(let letter):
                    let flag = table.flags.first { $0.short == letter }
                    found.append(try Self.match("-\(letter)", flag.map { ($0, false) }, &reader))
                }
            }
            if let extra = try assign(plain, isChecked: false) { throw CommandLineError("unexpected \(extra)") }
        } catch {
            guard let asked = Self.textAsked(found) else { throw error }
            given = [asked]
            values[asked] = ["true"]
            return
        }
        if let asked = Self.textAsked(found)
            ?? found.first(where: { $0.flag.name == "help" && $0.value == "true" })?.flag.name
        {
            given = [asked]
            values[asked] = ["true"]
            return
        }
        for (flag, value) in found { try take(flag, value) }
        _ = try assign(plain, isChecked: true)
    }

    private static func textAsked(_ found: [(flag: FlagTable.Flag, value: String)]) -> String? {
        found.first { texts.contains($0.flag.name) && $0.value == "true" }?.flag.name
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

    /// The flag that a word names, and its value as it was given.
    private static func match(
        _ shown: String, _ found: (flag: FlagTable.Flag, isInverted: Bool)?, _ reader: inout WordReader
    ) throws(CommandLineError) -> (flag: FlagTable.Flag, value: String) {
        guard let (flag, isInverted) = found else {
            throw CommandLineError("unknown \(shown.hasPrefix("--") ? "long" : "short") flag '\(shown)'")
        }
        if flag.isToggle { return (flag, isInverted ? "false" : "true") }
        guard let value = reader.takeArgument() else {
            throw CommandLineError("expected argument for flag '\(shown)'")
        }
        return (flag, value)
    }

    private mutating func take(_ flag: FlagTable.Flag, _ word: String) throws(CommandLineError) {
        let value: String
        do throws(CommandLineError) {
            value = try flag.normalized(word)
        } catch {
            // Kingpin does not say which of twenty flags is meant; a choice names itself.
            if case .choice = flag.kind { throw error }
            throw CommandLineError("--\(flag.name): \(error)")
        }
        if given.insert(flag.name).inserted || flag.isToggle {
            values[flag.name] = [value]
        } else {
            guard flag.isRepeatable else { throw CommandLineError("flag '\(flag.name)' cannot be repeated") }
            values[flag.name, default: []].append(value)
        }
    }

    /// Gives the arguments of the table their words.
    /// - Parameter isChecked: Whether those that are required have to be there.
    /// - Returns: The first word for which there is no argument.
    private mutating func assign(_ plain: [String], isChecked: Bool) throws(CommandLineError) -> String? {
        var rest = plain[...]
        for argument in table.arguments {
            if argument.isRepeatable {
                words[argument.name] = Array(rest)
                rest = []
            } else if let first = rest.popFirst() {
                words[argument.name] = [first]
            }
            if isChecked, argument.isRequired, (words[argument.name] ?? []).isEmpty {
                throw CommandLineError("required argument '\(argument.name)' not provided")
            }
        }
        return rest.first
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
                    let name = String(argument.dropFirst())
                    throw CommandLineError(
                        "failed to open arguments file \(CommandLineError.quote(name)): open \(name): "
                            + "no such file or directory")
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
