internal import ByteCoding

/// The flags and arguments of one command. One table serves parsing, `--help`, the man page, shell completions and
/// the flags that `/api/v1/status` shows.
///
/// Kingpin's rules, since users' command lines are written for it: `--flag=value`, `--flag value`, `--no-switch`,
/// `-h`, each flag once unless it is repeatable, `--` ends the flags, `@file` stands for arguments in a file.
/// Source: github.com/alecthomas/kingpin/v2 parser.go, usage.go.
package struct FlagTable: Sendable {
    /// In the order of `--help`.
    package var flags: [Flag]
    /// In the order of the command line.
    package var arguments: [Argument]

    /// A flag.
    package struct Flag: Sendable {
        /// Without the leading dashes.
        package var name: String
        /// The letter behind a single dash.
        package var short: Character?
        /// A sentence for `--help`.
        package var help: String
        /// What values it takes.
        package var kind: Kind
        /// As one would write them; shown by `--help`.
        package var defaults: [String]
        /// Whether it may be given more than once.
        package var isRepeatable = false
        /// Whether `--help` leaves it out.
        package var isHidden = false
        /// Whether `/api/v1/status` shows it; kingpin's own flags are not shown.
        package var isListed = true
        /// Shown instead of the default in `--help`.
        package var placeholder: String?

        /// A flag with a value.
        package init(
            _ name: String, short: Character? = nil, _ help: String, kind: Kind = .text, default value: String? = nil,
            isRepeatable: Bool = false, isHidden: Bool = false, placeholder: String? = nil
        ) {
            self.name = name
            self.short = short
            self.help = help
            self.kind = kind
            self.defaults = value.map { [$0] } ?? []
            self.isRepeatable = isRepeatable
            self.isHidden = isHidden
            self.placeholder = placeholder
        }

        /// A flag that is on or off; off by default.
        package static func toggle(_ name: String, short: Character? = nil, _ help: String) -> Flag {
            Flag(name, short: short, help, kind: .toggle)
        }
    }

    /// What values a flag takes.
    package enum Kind: Sendable {
        case text
        case toggle
        /// A time as Go writes it; listed in normal form.
        case duration
        /// A whole number.
        case integer
        /// Bytes, with a unit: `16MiB`, `1GB`, `4096`.
        case bytes
        case url
        /// One of a few words, in any case; the text names them in the error: `log level`.
        case choice([String], named: String)
        /// Anything else: gives the normal form, or throws ``CommandLineError`` with what is wrong.
        case custom(@Sendable (String) throws(CommandLineError) -> String)
    }

    /// An argument that is not a flag.
    package struct Argument: Sendable {
        /// As `--help` shows it.
        package var name: String
        /// A sentence for `--help`.
        package var help: String
        /// Whether the command cannot go without.
        package var isRequired: Bool
        /// Whether it takes all that follows.
        package var isRepeatable: Bool

        /// An argument; only the last one of a table may be repeatable.
        package init(_ name: String, _ help: String, isRequired: Bool = true, isRepeatable: Bool = false) {
            self.name = name
            self.help = help
            self.isRequired = isRequired
            self.isRepeatable = isRepeatable
        }
    }

    /// A table.
    package init(_ flags: [Flag], arguments: [Argument] = []) {
        self.flags = flags
        self.arguments = arguments
    }

    /// The flags that every command has.
    package static let common: [Flag] = [
        {
            var help = Flag.toggle(
                "help", short: "h", "Show context-sensitive help (also try --help-long and --help-man).")
            help.isListed = false
            return help
        }(),
        hidden("help-long", "Generate long help."),
        hidden("help-man", "Generate a man page."),
        hidden("completion-script-bash", "Generate completion script for bash."),
        hidden("completion-script-zsh", "Generate completion script for ZSH."),
        hidden("completion-script-fish", "Generate completion script for fish."),
        {
            var version = Flag.toggle("version", "Show application version.")
            version.isListed = false
            return version
        }(),
    ]

    private static func hidden(_ name: String, _ help: String) -> Flag {
        var flag = Flag.toggle(name, help)
        flag.isHidden = true
        flag.isListed = false
        return flag
    }

    /// The flag called `name`, also with `no-` in front of a switch.
    package func flag(_ name: String) -> (flag: Flag, isInverted: Bool)? {
        if let flag = flags.first(where: { $0.name == name }) { return (flag, false) }
        guard name.hasPrefix("no-"), let flag = flags.first(where: { $0.name == name.dropFirst(3) }), flag.isToggle
        else {
            return nil
        }
        return (flag, true)
    }
}

extension FlagTable.Flag {
    /// Whether it takes no value.
    package var isToggle: Bool {
        if case .toggle = kind { return true }
        return false
    }

    /// The normal form of `text`.
    /// - Throws: ``CommandLineError`` in kingpin's and Go's words.
    func normalized(_ text: String) throws(CommandLineError) -> String {
        switch kind {
        case .text: return text
        case .toggle: return text
        case .duration:
            do throws(GoDuration.Fault) {
                return try GoDuration(text, allowsDays: true).description
            } catch {
                throw CommandLineError(error.text(text))
            }
        case .integer:
            guard Int(text) != nil else {
                throw CommandLineError("strconv.ParseInt: parsing \(CommandLineError.quote(text)): invalid syntax")
            }
            return text
        case .bytes:
            guard ByteSize(text) != nil else {
                throw CommandLineError("units: invalid size \(CommandLineError.quote(text)); write 4096, 64KiB or 1GB")
            }
            return text
        case .url: return try URLText.validated(text)
        case .choice(let words, let name):
            let word = text.lowercased()
            guard words.contains(word) else { throw CommandLineError("unrecognized \(name) \(text)") }
            return word
        case .custom(let read): return try read(text)
        }
    }
}

/// What is wrong with a command line.
package struct CommandLineError: Error, CustomStringConvertible, Equatable {
    package let description: String

    /// The message `description`.
    package init(_ description: String) { self.description = description }

    static func quote(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result + "\""
    }
}

/// A number of bytes with a unit, all of them powers of 1024, with and without an `i`: `64KB` and `64KiB` are one.
///
/// Source: github.com/alecthomas/units bytes.go (`ParseBase2Bytes`), which upstream's flags use.
package struct ByteSize: Sendable, Hashable {
    /// Not negative.
    package let bytes: Int

    /// Reads `4096`, `64KiB`, `1.5GB`; nil for anything else.
    package init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit: Double
        switch text.dropFirst(digits.count) {
        case "", "B": unit = 1
        case "KiB", "KB", "kB", "K": unit = 0x1p10
        case "MiB", "MB", "M": unit = 0x1p20
        case "GiB", "GB", "G": unit = 0x1p30
        case "TiB", "TB", "T": unit = 0x1p40
        case "PiB", "PB", "P": unit = 0x1p50
        case "EiB", "EB", "E": unit = 0x1p60
        default: return nil
        }
        guard !digits.isEmpty, let number = Double(digits), let bytes = Int(exactly: (number * unit).rounded()) else {
            return nil
        }
        self.bytes = bytes
    }
}

/// The little that flags need to know about URLs.
package enum URLText {
    /// Checks a URL as Go's `url.Parse` does, as far as that can fail for what people write.
    /// - Throws: ``CommandLineError`` in Go's words.
    static func validated(_ text: String) throws(CommandLineError) -> String {
        func fail(_ reason: String) -> CommandLineError {
            CommandLineError("invalid URL: parse \(CommandLineError.quote(text)): \(reason)")
        }
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw fail("net/url: invalid control character in URL")
        }
        if text.hasPrefix(":") { throw fail("missing protocol scheme") }
        if let escape = brokenEscape(text) { throw fail("invalid URL escape \(CommandLineError.quote(escape))") }
        if let colon = text.firstIndex(of: ":"),
            let slash = text.firstIndex(of: "/").map({ $0 }) ?? text.endIndex as String.Index?,
            colon < slash, let first = text.utf8.first, HTTPSyntax.lowercase(first) &- 0x61 >= 26
        {
            throw fail("first path segment in URL cannot contain colon")
        }
        return text
    }

    /// The first `%` that no two hexadecimal digits follow, and up to two characters behind it.
    private static func brokenEscape(_ text: String) -> String? {
        var rest = text[...]
        while let percent = rest.firstIndex(of: "%") {
            let escape = rest[percent...].prefix(3)
            if escape.count < 3 || PercentCoding.decode(escape.utf8) == nil { return String(escape) }
            rest = rest[percent...].dropFirst(3)
        }
        return nil
    }

    /// The decoded path of a URL: what follows the authority, without query and fragment.
    package static func path(_ text: String) -> String {
        var rest = text[...]
        if let mark = rest.firstIndex(where: { $0 == "?" || $0 == "#" }) { rest = rest[..<mark] }
        if let scheme = rest.range(of: "://") {
            rest = rest[scheme.upperBound...]
            guard let slash = rest.firstIndex(of: "/") else { return "" }
            rest = rest[slash...]
        }
        return PercentCoding.decode(rest.utf8).map { String(decoding: $0, as: UTF8.self) } ?? String(rest)
    }
}

extension Substring {
    /// Where `text` first occurs.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
