/// libFuzzer's own loop; it calls `body` with each input and does not return before its time is up.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ argumentCount: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// What the programs here have in common: libFuzzer calls a function with one input after the other.
package enum FuzzDriver {
    // SAFETY: set once, before the only thread enters libFuzzer's loop.
    private nonisolated(unsafe) static var run: ([UInt8]) throws -> Void = { _ in }

    /// Calls `run` with each input, as long as the command line's `-max_total_time` says. What it throws is a finding,
    /// at which libFuzzer stops and writes down the input.
    package static func fuzz(_ run: @escaping ([UInt8]) throws -> Void) {
        self.run = run
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        _ = runDriver(&count, &arguments) { data, size in
            do {
                try FuzzDriver.run(Array(UnsafeBufferPointer(start: data, count: size)))
            } catch {
                fatalError("\(error)")
            }
            return 0
        }
    }
}
