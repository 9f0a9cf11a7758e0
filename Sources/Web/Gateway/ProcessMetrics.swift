internal import DurableFiles
package import MetricModel

#if canImport(Glibc)
internal import Glibc
#endif

/// What `/proc` tells about this process, under the names of client_golang's process collector.
///
/// Source: prometheus/client_golang prometheus/process_collector_procfsenabled.go.
package struct ProcessMetrics: Sendable {
    /// Seconds since 1970.
    private let startTime: Double?

    /// Reads what does not change.
    package init() {
        startTime = Self.readStartTime()
    }

    /// The families now; those that cannot be read are left out.
    package func families() -> [MetricFamily] {
        var families: [MetricFamily] = []
        func add(_ name: ByteString, _ help: ByteString, _ type: MetricType, _ value: Double?) {
            guard let value else { return }
            let content: MetricValue = type == .counter ? .counter(CounterValue(value)) : .gauge(value)
            families.append(
                MetricFamily(name: name, help: help, type: type, metrics: [Metric(labels: [], value: content)]))
        }
        let fields = Self.statFields()
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        let cpu = fields.count > 12 ? (Double(fields[11]) ?? 0) + (Double(fields[12]) ?? 0) : nil
        add(
            "process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", .counter,
            cpu.map { $0 / max(ticks, 1) })
        add(
            "process_max_fds", "Maximum number of open file descriptors.", .gauge, Self.limit(__rlimit_resource_t(7)))
        let network = Self.networkOctets()
        add(
            "process_network_receive_bytes_total", "Number of bytes received by the process over the network.",
            .counter,
            network?.received)
        add(
            "process_network_transmit_bytes_total", "Number of bytes sent by the process over the network.", .counter,
            network?.sent)
        add("process_open_fds", "Number of open file descriptors.", .gauge, Self.openDescriptors())
        add(
            "process_resident_memory_bytes", "Resident memory size in bytes.", .gauge,
            fields.count > 21 ? Double(fields[21]).map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) } : nil)
        add("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", .gauge, startTime)
        add(
            "process_threads", "Number of operating system threads.", .gauge,
            fields.count > 17 ? Double(fields[17]) : nil)
        add(
            "process_virtual_memory_bytes", "Virtual memory size in bytes.", .gauge,
            fields.count > 20 ? Double(fields[20]) : nil)
        add(
            "process_virtual_memory_max_bytes", "Maximum amount of virtual memory available in bytes.", .gauge,
            Self.limit(__rlimit_resource_t(9)))
        return families
    }

    /// The fields of `/proc/self/stat` from the third on (proc(5)).
    private static func statFields() -> [Substring] {
        guard let text = try? SmallFile.read("/proc/self/stat") else { return [] }
        let line = String(decoding: text, as: UTF8.self)
        // The second field, the name, may hold blanks; it ends with the last parenthesis.
        guard let end = line.lastIndex(of: ")") else { return [] }
        return line[line.index(after: end)...].split(separator: " ")
    }

    private static func readStartTime() -> Double? {
        let fields = statFields()
        guard fields.count > 19, let ticks = Double(fields[19]), let text = try? SmallFile.read("/proc/stat") else {
            return nil
        }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix("btime ") {
            guard let boot = Double(line.dropFirst(6)) else { return nil }
            return boot + ticks / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        }
        return nil
    }

    private static func limit(_ resource: __rlimit_resource_t) -> Double? {
        var limits = rlimit()
        guard getrlimit(resource, &limits) == 0 else { return nil }
        return Double(limits.rlim_cur)
    }

    private static func openDescriptors() -> Double? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // `.`, `..` and the folder itself, which is open while it is read.
        return Double(max(0, count - 3))
    }

    private static func networkOctets() -> (received: Double, sent: Double)? {
        guard let text = try? SmallFile.read("/proc/self/net/netstat") else { return nil }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("IpExt:") }
        guard lines.count >= 2 else { return nil }
        let names = lines[0].split(separator: " ")
        let values = lines[1].split(separator: " ")
        guard let received = names.firstIndex(of: "InOctets"), let sent = names.firstIndex(of: "OutOctets"),
            received < values.count, sent < values.count, let a = Double(values[received]), let b = Double(values[sent])
        else { return nil }
        return (a, b)
    }
}
