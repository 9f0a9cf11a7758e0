#if canImport(Glibc)
internal import Glibc
#endif

/// 127.0.0.1 and a port, as the system's socket calls take it.
package struct LoopbackAddress {
    private var address = sockaddr_in()

    /// The address with `port`; 0 lets the system choose one.
    package init(port: Int) {
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    }

    /// Connects `socket`.
    /// - Returns: 0, or -1 and the reason in `errno`.
    package func connect(_ socket: Int32) -> Int32 {
        withPointer { Glibc.connect(socket, $0, $1) }
    }

    /// Binds `socket`.
    /// - Returns: 0, or -1 and the reason in `errno`.
    package func bind(_ socket: Int32) -> Int32 {
        withPointer { Glibc.bind(socket, $0, $1) }
    }

    /// The port that a bound socket has.
    package static func port(of socket: Int32) -> Int {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // SAFETY: an address of this family starts as the general one does, and its size is given.
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &size) }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private func withPointer(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        // SAFETY: an address of this family starts as the general one does, and its size is given.
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
