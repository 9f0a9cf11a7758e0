#if canImport(Glibc)
internal import Glibc
#endif

/// Measures parts of the store: `TSDBBenchmarks append DIRECTORY [SERIES] [SAMPLES]`, …
///
/// Each figure is printed with what it is per, CPU time of the whole process; compare two commits in one run only.
@main
struct TSDBBenchmarks {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let number = { (index: Int, fallback: Int) in
            index < arguments.count ? Int(arguments[index]) ?? fallback : fallback
        }
        switch (arguments.first, arguments.count) {
        case ("append", 2...): try HeadBenchmarks.append(arguments[1], number(2, 100_000), number(3, 59))
        case ("replay", 2...): try HeadBenchmarks.replay(arguments[1])
        case ("query", 2...): try HeadBenchmarks.query(arguments[1])
        case ("dump", 2...): try HeadBenchmarks.dump(arguments[1])
        case ("chunks", _): try BlockBenchmarks.chunks()
        case ("blocks", 2...): try BlockBenchmarks.postings(arguments[1], number(2, 100_000))
        case ("fill", 3...): try HeadBenchmarks.fill(arguments[1], number(2, 0))
        default:
            print("usage: TSDBBenchmarks append|replay|query|dump|blocks DIRECTORY [SERIES] [SAMPLES], or chunks")
        }
    }
}

/// CPU time of the process and memory.
enum Usage {
    /// User and system time of the process, in seconds.
    static var cpuSeconds: Double {
        var usage = rusage()
        getrusage(0, &usage)
        return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    /// Resident memory in MiB.
    static var residentMiB: Double {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        guard fgets(&buffer, 256, file) != nil else { return 0 }
        let fields = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .split(separator: " ")
        return fields.count > 1 ? (Double(fields[1]) ?? 0) * 4096 / 1_048_576 : 0
    }

    /// Runs `body` and prints its CPU time, also per `count` of `what`.
    static func measure(_ title: String, _ count: Int, _ what: String, _ body: () throws -> Void) rethrows {
        let clock = ContinuousClock()
        let begin = clock.now
        let cpu = cpuSeconds
        try body()
        let spent = cpuSeconds - cpu
        let elapsed = begin.duration(to: clock.now)
        let each = spent / Double(max(1, count)) * 1e9
        print(
            "\(title): \(Int(each)) ns CPU a \(what); \(spent) s CPU, \(elapsed) for \(count); RSS \(Int(residentMiB)) MiB"
        )
    }
}
