#if canImport(Glibc)
internal import Glibc
#endif
internal import Dispatch
internal import DurableFiles

/// Answers what records a name has.
protocol RecordResolver: Sendable {
    /// The records of `name`, none if it does not exist.
    /// - Throws: if no server gives an answer.
    func records(_ name: String, _ type: DNSDiscoveryConfiguration.RecordType) async throws -> [DNSRecord]
}

/// Asks the servers of `/etc/resolv.conf`, by UDP, and by TCP where the answer is too long for that.
struct SystemRecordResolver: RecordResolver {
    private let configurationPath: String

    init(configurationPath: String = "/etc/resolv.conf") { self.configurationPath = configurationPath }

    func records(_ name: String, _ type: DNSDiscoveryConfiguration.RecordType) async throws -> [DNSRecord] {
        let settings = try ResolverSettings(path: configurationPath)
        return try await withCheckedThrowingContinuation { continuation in
            // The system's calls block, and never for longer than the settings allow.
            DispatchQueue.global().async {
                do {
                    continuation.resume(returning: try Self.search(name, type, settings))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    private static func search(
        _ name: String, _ type: DNSDiscoveryConfiguration.RecordType, _ settings: ResolverSettings
    ) throws -> [DNSRecord] {
        var isAnswered = true
        for candidate in settings.candidates(name) {
            do {
                let answer = try ask(candidate, type, settings)
                if answer.code == 0 { return answer.records }
            } catch {
                // A later candidate may have an answer; but that there is none can no longer be said.
                isAnswered = false
            }
        }
        if isAnswered { return [] }
        throw ScrapeFailure(
            "could not resolve \"\(name)\": all servers responded with errors to at least one search domain")
    }

    private static func ask(
        _ name: String, _ type: DNSDiscoveryConfiguration.RecordType, _ settings: ResolverSettings
    ) throws -> DNSMessage.Answer {
        for server in settings.servers {
            do {
                let answer = try exchange(name, type, server, settings.timeoutSeconds)
                if answer.code == 0 || answer.code == 3 { return answer }
            } catch {
                continue
            }
        }
        throw ScrapeFailure("could not resolve \(name): no servers returned a viable answer")
    }

    private static func exchange(
        _ name: String, _ type: DNSDiscoveryConfiguration.RecordType, _ server: IPAddress, _ timeout: Int
    ) throws -> DNSMessage.Answer {
        let id = UInt16.random(in: .min ... .max)
        guard let query = DNSMessage.query(name, type, id: id, isExtended: true) else {
            throw ScrapeFailure("\(name) is no domain name")
        }
        let datagram = try DNSSocket(server, SOCK_DGRAM, timeout: timeout)
        try datagram.send(query)
        let answer = try DNSMessage.answer(try datagram.receive(Int(DNSMessage.datagramSize)), id: id)
        guard answer.isTruncated else { return answer }
        guard let plain = DNSMessage.query(name, type, id: id, isExtended: false) else { return answer }
        let stream = try DNSSocket(server, SOCK_STREAM, timeout: timeout)
        try stream.send([UInt8(plain.count >> 8), UInt8(plain.count & 0xFF)] + plain)
        let length = try stream.receive(exactly: 2)
        let whole = try DNSMessage.answer(try stream.receive(exactly: Int(length[0]) << 8 | Int(length[1])), id: id)
        if whole.isTruncated { throw ScrapeFailure("got truncated message on TCP (64kiB limit exceeded?)") }
        return whole
    }
}

/// What `/etc/resolv.conf` says.
package struct ResolverSettings: Sendable, Equatable {
    /// In the order in which they are asked.
    package var servers: [IPAddress] = []
    /// Put behind short names.
    package var searchDomains: [String] = []
    /// A name with as many dots is tried as it is first.
    package var dots = 1
    /// How long an answer is waited for.
    package var timeoutSeconds = 5

    init(path: String) throws {
        do {
            self.init(String(decoding: try SmallFile.read(path), as: UTF8.self))
        } catch {
            throw ScrapeFailure("could not load resolv.conf: \(error)")
        }
    }

    /// Reads the text of the file.
    package init(_ text: String) {
        for line in text.split(separator: "\n") {
            let words = line.prefix { $0 != "#" && $0 != ";" }.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let keyword = words.first else { continue }
            switch keyword {
            case "nameserver": if words.count > 1, let address = IPAddress(words[1]) { servers.append(address) }
            case "domain": searchDomains = Array(words.dropFirst().prefix(1))
            case "search": searchDomains = Array(words.dropFirst())
            case "options":
                for option in words.dropFirst() {
                    if option.hasPrefix("ndots:"), let number = Int(option.dropFirst(6)) {
                        dots = min(max(number, 0), 15)
                    }
                    if option.hasPrefix("timeout:"), let number = Int(option.dropFirst(8)) {
                        timeoutSeconds = min(max(number, 1), 30)
                    }
                }
            default: break
            }
        }
        if servers.isEmpty { servers = [IPAddress(bytes: [127, 0, 0, 1])] }
    }

    /// The names to try for `name`, in order.
    package func candidates(_ name: String) -> [String] {
        if name.hasSuffix(".") { return [name] }
        let searched = searchDomains.map { "\(name).\($0)" }
        let isLong = name.utf8.count { $0 == UInt8(ascii: ".") } >= dots
        return isLong ? [name] + searched : searched + [name]
    }
}

/// A socket to a name server, port 53, closed when it is released.
private final class DNSSocket {
    private let descriptor: Int32

    init(_ server: IPAddress, _ kind: __socket_type, timeout: Int) throws {
        let family = server.bytes.count == 4 ? AF_INET : AF_INET6
        descriptor = socket(family, Int32(kind.rawValue), 0)
        guard descriptor >= 0 else { throw ScrapeFailure(SystemError.reason(errno)) }
        var limit = timeval(tv_sec: timeout, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let port = in_port_t(53).bigEndian
        let result: Int32
        if family == AF_INET {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port
            withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: server.bytes) }
            result = Self.connect(descriptor, &address)
        } else {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port
            withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: server.bytes) }
            result = Self.connect(descriptor, &address)
        }
        guard result == 0 else { throw ScrapeFailure(SystemError.reason(errno)) }
    }

    deinit { close(descriptor) }

    private static func connect<Address>(_ descriptor: Int32, _ address: inout Address) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            // SAFETY: both address types start as the general one does, and their size is given.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    func send(_ bytes: [UInt8]) throws {
        let sent = bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == bytes.count else { throw ScrapeFailure(SystemError.reason(errno)) }
    }

    func receive(_ most: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: most)
        let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { throw ScrapeFailure(count == 0 ? "EOF" : SystemError.reason(errno)) }
        return Array(buffer[..<count])
    }

    func receive(exactly count: Int) throws -> [UInt8] {
        var result: [UInt8] = []
        while result.count < count { result += try receive(count - result.count) }
        return result
    }
}
