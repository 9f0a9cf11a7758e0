/// What is known of one run of a job, as metrics in the text format.
struct JobReport {
    private let start: Int64
    private var endTime: Int64 = 0
    private var ending: JobProcess.Ending?

    /// A run that started at `start`, in nanoseconds since 1970.
    init(start: Int64) { self.start = start }

    mutating func end(at time: Int64, _ ending: JobProcess.Ending) {
        endTime = time
        self.ending = ending
    }

    /// Pushed when the job starts.
    func started() -> [UInt8] {
        Self.gauge("batch_job_start_time_seconds", "When the latest run of the job started.", Self.seconds(start))
            + Self.gauge("batch_job_running", "Whether the job is running.", 1)
    }

    /// Pushed while it runs.
    static func heartbeat(at time: Int64) -> [UInt8] {
        Self.gauge(
            "batch_job_heartbeat_time_seconds", "When the running job last gave a sign of life.", Self.seconds(time))
    }

    /// Pushed when it has ended, with the job's own metrics behind.
    func final(own: [UInt8]) -> [UInt8] {
        guard let ending else { return own }
        var body =
            Self.gauge("batch_job_start_time_seconds", "When the latest run of the job started.", Self.seconds(start))
            + Self.gauge("batch_job_end_time_seconds", "When the latest run of the job ended.", Self.seconds(endTime))
            + Self.gauge("batch_job_duration_seconds", "How long the latest run took.", Self.seconds(endTime - start))
            + Self.gauge("batch_job_running", "Whether the job is running.", 0)
            + Self.gauge(
                "batch_job_exit_code", "Exit code of the latest run; 128 and the signal if one ended it.",
                Double(ending.exitCode))
            + Self.gauge("batch_job_success", "Whether the latest run exited with 0.", ending.exitCode == 0 ? 1 : 0)
            + Self.gauge("batch_job_cpu_seconds", "Processor time of the latest run.", ending.cpuSeconds)
            + Self.gauge(
                "batch_job_max_resident_memory_bytes", "Peak memory of the latest run.", ending.peakMemoryBytes)
        if ending.exitCode == 0 {
            // Left out after a failure, so that POST keeps the time of the last success.
            body += Self.gauge(
                "batch_job_last_success_time_seconds", "When the job last ended with success.", Self.seconds(endTime))
        }
        if let last = own.last, last != UInt8(ascii: "\n") { return body + own + [UInt8(ascii: "\n")] }
        return body + own
    }

    private static func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds / 1_000_000) / 1000 }

    private static func gauge(_ name: String, _ help: String, _ value: Double) -> [UInt8] {
        Array("# HELP \(name) \(help)\n# TYPE \(name) gauge\n\(name) \(value)\n".utf8)
    }
}
