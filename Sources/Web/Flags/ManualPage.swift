/// Text in troff, for `man`.
package enum ManualPage {
    /// A section of terms and what they mean.
    /// - Complexity: O(length of the text).
    package static func section(_ title: String, _ entries: [(term: String, text: String)]) -> String {
        heading(title)
            + entries.map { ".TP\n\\fB\(escape($0.term))\\fR\n\(escape($0.text))\n" }.joined()
    }

    /// A section of lines that are to be shown as they are, such as calls of a program.
    package static func section(_ title: String, _ lines: [String]) -> String {
        heading(title) + ".nf\n" + lines.map { escape($0) + "\n" }.joined() + ".fi\n"
    }

    static func heading(_ title: String) -> String { ".SH \"\(title)\"\n" }

    /// Text in which nothing means anything to troff: no escapes, and no line that is a request. Addresses of pages may
    /// be broken behind their slashes.
    static func escape(_ text: String) -> String {
        var result = ""
        var isAddress = false
        for (index, character) in zip(text.indices, text) {
            if text[index...].hasPrefix("://") { isAddress = true }
            switch character {
            case " ", "\n":
                isAddress = false
                result.append(character)
            case "/" where isAddress: result += "/\\:"
            case "\\": result += "\\e"
            case "-": result += "\\-"
            default: result.append(character)
            }
        }
        return result.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&" + $0 : $0 }.joined(separator: "\n")
    }
}

extension FlagTable {
    /// What `--help-man` prints: a page in troff.
    package func manPage(command: String, about: String) -> String {
        let title = command.split(separator: " ").joined(separator: "-")
        let options = flags.filter { !$0.isHidden }.map {
            (term: Self.usage($0, indented: false), text: $0.help)
        }
        // Text with addresses in it looks better ragged than stretched.
        return ".TH \(title) 1\n.ad l\n.nh\n" + ManualPage.heading("NAME")
            + "\(ManualPage.escape(title)) \\- \(ManualPage.escape(about))\n"
            + ManualPage.section("SYNOPSIS", [(term: command + summary, text: "")])
            + ManualPage.heading("DESCRIPTION") + "\(ManualPage.escape(about))\n"
            + ManualPage.section("OPTIONS", options)
    }
}
