import Web

/// Shell completions, made from the flag tables.
enum Completion {
    /// A script for bash.
    static func bash(_ root: Command) -> String {
        var cases = ""
        for (path, command) in all(root, []) {
            let words = command.present.map(\.name) + flags(command)
            cases += "        \"\(path.joined(separator: " "))\") words=\"\(words.joined(separator: " "))\" ;;\n"
        }
        let commands = all(root, []).dropFirst().map { "\"\($0.path.joined(separator: " "))\"" }
        return """
            # Completions of narthex for bash. Source: narthex --completion-script-bash
            _narthex() {
                local cur="${COMP_WORDS[COMP_CWORD]}" path="narthex" word words=""
                for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                    case "$path $word" in
                        \(commands.joined(separator: " | "))) path="$path $word" ;;
                    esac
                done
                case "$path" in
            \(cases)    esac
                COMPREPLY=($(compgen -W "$words" -- "$cur"))
                [[ ${COMPREPLY-} == *= ]] && compopt -o nospace
            }
            complete -o default -F _narthex narthex

            """
    }

    /// A script for zsh.
    static func zsh(_ root: Command) -> String {
        """
        #compdef narthex
        # Completions of narthex for zsh. Source: narthex --completion-script-zsh
        autoload -U +X bashcompinit && bashcompinit

        """ + bash(root)
    }

    /// A script for fish, which also shows what each command and flag is for.
    static func fish(_ root: Command) -> String {
        let commands = all(root, []).dropFirst().map { "\"\($0.path.joined(separator: " "))\"" }
        var lines = ""
        for (path, command) in all(root, []) {
            let start = "complete -c narthex -n \"__narthex_at \(path.joined(separator: " "))\""
            for child in command.present {
                lines += "\(start) -f -a \(child.name) -d \(quoted(child.about))\n"
            }
            for flag in command.table.flags where !flag.isHidden {
                let names = flag.isToggle ? [flag.name, "no-" + flag.name] : [flag.name]
                for name in names {
                    lines += "\(start) -l \(name)\(flag.isToggle ? "" : " -r") -d \(quoted(flag.help))\n"
                }
            }
        }
        return """
            # Completions of narthex for fish. Source: narthex --completion-script-fish
            function __narthex_at
                set -l path narthex
                set -l words (commandline -opc)
                for word in $words[2..]
                    contains -- "$path $word" \(commands.joined(separator: " ")); and set path "$path $word"
                end
                test "$path" = "$argv"
            end
            \(lines)
            """
    }

    /// The first sentence of a text as one word of fish.
    private static func quoted(_ text: String) -> String {
        let sentence = text.firstRange(of: ". ").map { text[..<$0.lowerBound] } ?? text[...]
        return "'" + sentence.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] } + "'"
    }

    private static func all(_ command: Command, _ path: [String]) -> [(path: [String], command: Command)] {
        let path = path + [command.name]
        return [(path, command)] + command.present.flatMap { all($0, path) }
    }

    private static func flags(_ command: Command) -> [String] {
        command.table.flags.filter { !$0.isHidden }.flatMap { flag in
            flag.isToggle ? ["--\(flag.name)", "--no-\(flag.name)"] : ["--\(flag.name)="]
        }
    }
}
