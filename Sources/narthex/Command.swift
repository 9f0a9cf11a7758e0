import Web

#if canImport(Glibc)
import Glibc
#endif

/// One command of the program: its flags, and what it does. Commands may have commands of their own.
struct Command: Sendable {
    /// As it is written: `gateway`.
    let name: String
    /// In one sentence.
    let about: String
    let table: FlagTable
    /// Calls as one would type them, shown by `--help` and in the manual page.
    let examples: [String]
    let subcommands: [Command]
    /// Why promtool's command of this name is not there; such a command is not listed.
    private(set) var absence: String?
    /// Gives the exit code. Not called for commands that only hold others.
    let action: (@Sendable (ParsedFlags) async -> Int32)?

    init(
        _ name: String, _ about: String, flags: [FlagTable.Flag] = [], arguments: [FlagTable.Argument] = [],
        examples: [String] = [], subcommands: [Command] = [], action: (@Sendable (ParsedFlags) async -> Int32)? = nil
    ) {
        self.name = name
        self.about = about
        table = FlagTable(FlagTable.common.dropLast() + flags + FlagTable.common.suffix(1), arguments: arguments)
        self.examples = examples
        self.subcommands = subcommands
        self.action = action
    }

    /// A command of promtool's that this version does not have, for `reason`.
    static func absent(_ name: String, because reason: String) -> Command {
        var command = Command(name, reason)
        command.absence = reason
        return command
    }

    /// The commands below this one that can be called.
    var present: [Command] { subcommands.filter { $0.absence == nil } }

    /// Everything that `narthex` can do.
    static let root = Command(
        "narthex", BothCommand.about, flags: BothCommand.flags, examples: BothCommand.examples,
        subcommands: [
            GatewayCommand.command, ServerCommand.command, QueryCommand.command, CheckCommand.command,
            TestCommand.command, StoreCommand.command, PushCommand.command, DeleteCommand.command,
            GroupsCommand.command, ExecCommand.command,
        ], action: BothCommand.run)

    /// Runs this command, or one below it, with the arguments that follow its name.
    func run(_ arguments: [String], path: [String] = []) async -> Int32 {
        let path = path + [name]
        if let first = arguments.first, let subcommand = subcommands.first(where: { $0.name == first }) {
            return await subcommand.run(Array(arguments.dropFirst()), path: path)
        }
        let called = path.joined(separator: " ")
        if let absence {
            Self.print("\(called): error: \(absence)\n", to: 2)
            return 1
        }
        // A word where only commands can stand is one that is misspelt.
        if table.arguments.isEmpty, !subcommands.isEmpty, let word = arguments.first, !"-@".contains(word.prefix(1)) {
            Self.print("\(called): error: expected command but got \"\(word)\", try --help\n", to: 2)
            return 1
        }
        let flags: ParsedFlags
        do throws(CommandLineError) {
            flags = try ParsedFlags(arguments, table: table, readFile: Self.lines)
        } catch {
            Self.print("\(called): error: \(error), try --help\n", to: 2)
            return 1
        }
        if let text = text(flags, called) {
            Self.print(text, to: 1)
            return 0
        }
        guard let action else {
            Self.print(help(called), to: 2)
            return 1
        }
        return await action(flags)
    }

    private func text(_ flags: ParsedFlags, _ called: String) -> String? {
        if flags.isOn("help") || flags.isOn("help-long") { return help(called) }
        if flags.isOn("help-man") { return manPage(called) }
        if flags.isOn("completion-script-bash") { return Completion.bash(Self.root) }
        if flags.isOn("completion-script-zsh") { return Completion.zsh(Self.root) }
        if flags.isOn("completion-script-fish") { return Completion.fish(Self.root) }
        if flags.isOn("version") { return BuildInfo.text(called) }
        return nil
    }

    private func help(_ called: String) -> String {
        var text = table.help(command: called, about: about)
        if !subcommands.isEmpty {
            text += "Commands:\n"
            for command in present {
                text +=
                    "  \(command.name)\(String(repeating: " ", count: max(1, 12 - command.name.count)))\(command.about)\n"
            }
            text += "\n"
        }
        if !examples.isEmpty {
            text += "Examples:\n" + examples.map { "  \($0)\n" }.joined() + "\n"
        }
        return text
    }

    private func manPage(_ called: String) -> String {
        var text = table.manPage(command: called, about: about)
        if !subcommands.isEmpty {
            text += ManualPage.section("COMMANDS", present.map { (term: "\(called) \($0.name)", text: $0.about) })
        }
        if !examples.isEmpty {
            text += ManualPage.section("EXAMPLES", examples)
        }
        return text
    }

    private static func lines(_ file: String) -> [String]? {
        TextFile.read(file)?.split(separator: "\n").map(String.init)
    }

    /// Writes `text` to a file descriptor; a reader that went away is no error.
    static func print(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno != EINTR { return }
            rest = rest.dropFirst(max(0, count))
        }
    }
}
