extension FlagTable {
    /// What `--help` prints.
    /// - Parameters:
    ///   - command: As it is called: `narthex gateway`.
    ///   - about: What it does, in a sentence or a few paragraphs.
    package func help(command: String, about: String) -> String {
        var text = "usage: \(command)\(summary)\n\n\(about)\n\n"
        let visible = flags.filter { !$0.isHidden }
        let hasShort = visible.contains { $0.short != nil }
        if !visible.isEmpty {
            text += "\nFlags:\n" + Self.columns(visible.map { (Self.usage($0, indented: hasShort), $0.help) })
        }
        if !arguments.isEmpty {
            text += "\nArgs:\n" + Self.columns(arguments.map { ("<\($0.name)>", $0.help) })
        }
        return text + "\n"
    }

    /// ` [<flags>] <file>...`.
    var summary: String {
        var text = flags.isEmpty ? "" : " [<flags>]"
        for argument in arguments {
            let name = "<\(argument.name)>" + (argument.isRepeatable ? "..." : "")
            text += argument.isRequired ? " \(name)" : " [\(name)]"
        }
        return text
    }

    static func usage(_ flag: Flag, indented: Bool) -> String {
        var text = flag.short.map { "-\($0), " } ?? (indented ? "    " : "")
        text += flag.isToggle ? "--[no-]\(flag.name)" : "--\(flag.name)=\(flag.shownValue)"
        if flag.isRepeatable { text += " ..." }
        return text
    }

    /// Two columns within 80 characters, laid out as kingpin does.
    static func columns(_ rows: [(String, String)]) -> String {
        let indent = 2
        let padding = 2
        let first = rows.map(\.0.count).filter { $0 < 30 }.max() ?? 0
        let margin = String(repeating: " ", count: indent + first + padding)
        var text = ""
        for (left, right) in rows {
            text += String(repeating: " ", count: indent) + left
            if left.count >= 30 {
                text += String(repeating: " ", count: padding) + "\n" + margin
            } else {
                text += String(repeating: " ", count: first - left.count + padding)
            }
            text += wrapped(right, width: 80 - margin.count).joined(separator: "\n" + margin) + "\n"
        }
        return text
    }

    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? String(word) : " " + word
        }
        lines.append(line)
        return lines
    }
}

extension FlagTable.Flag {
    /// What stands behind the `=` in `--help`.
    fileprivate var shownValue: String {
        if let placeholder { return placeholder }
        guard let value = defaults.first else { return name.uppercased() }
        if case .text = kind, !isRepeatable { return CommandLineError.quote(value) }
        return value
    }
}
