#if canImport(Glibc)
import Glibc
#endif

/// The entry point: finds the command, and leaves with its exit code.
@main
struct Narthex {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        exit(await Command.root.run(arguments))
    }
}
