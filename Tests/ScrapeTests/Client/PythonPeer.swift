import Glibc
import TestSupport
import Testing

/// A server in Python: with TLS, or a proxy that opens tunnels. It notes what it is asked, one line each.
final class PythonPeer {
    let port: Int
    private let process: ChildProcess
    private let log: String

    static let python = installed(["/usr/bin/python3", "/usr/local/bin/python3"])
    static let openssl = installed(["/usr/bin/openssl"])
    static var isPossible: Bool { python != nil && openssl != nil }

    private static func installed(_ paths: [String]) -> String? { paths.first { access($0, X_OK) == 0 } }

    /// - Parameters:
    ///   - options: `cert=…`, `key=…` for TLS; `ca=…` to ask for client certificates; `max=1.2`; `alpn=h2,http/1.1`.
    ///   - folder: Where the log lies.
    init(_ options: [String] = [], folder: TemporaryFolder) throws {
        log = folder.path + "/peer-\(UInt32.random(in: 0 ... .max))"
        process = try ChildProcess([try #require(Self.python), "-u", "-c", Self.script] + options, output: log)
        var found: Int?
        for _ in 0..<500 {
            if let line = TemporaryFolder.read(log).split(separator: "\n").first, line.hasPrefix("port ") {
                found = Int(line.dropFirst(5))
                break
            }
            usleep(20_000)
        }
        port = try #require(found, "the peer does not start: \(TemporaryFolder.read(log))")
    }

    /// What was noted so far.
    var notes: [String] { TemporaryFolder.read(log).split(separator: "\n").dropFirst().map(String.init) }

    /// Makes a key and a certificate for `names`, which is its own authority.
    static func makeCertificate(
        _ name: String, for names: String = "IP:127.0.0.1,DNS:peer.example", in folder: TemporaryFolder
    ) throws {
        let made = try ChildProcess([
            try #require(openssl), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "\(folder.path)/\(name).key", "-out", "\(folder.path)/\(name).pem", "-days", "2", "-subj",
            "/CN=\(name)", "-addext", "subjectAltName=\(names)",
        ])
        #expect(made.wait() == 0)
    }

    private static let script = """
        import http.server, select, socket, ssl, sys, threading
        options = dict(option.split("=", 1) for option in sys.argv[1:])
        names = {}
        def note(*words):
            print(*words, flush=True)
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def setup(self):
                if "cert" in options:
                    self.request.do_handshake()
                    peer = self.request.getpeercert() or {}
                    name = [value for part in peer.get("subject", ()) for key, value in part if key == "commonName"]
                    note("tls", self.request.version(), "alpn", self.request.selected_alpn_protocol(), "client", *name)
                super().setup()
            def answer(self, body, kind):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_GET(self):
                note("GET", self.path, "host", self.headers["Host"], "authorization", self.headers["Authorization"])
                self.answer(b"up 1\\n", "text/plain; version=0.0.4")
            def do_POST(self):
                form = self.rfile.read(int(self.headers["Content-Length"])).decode()
                note("POST", self.path, form, self.headers["Authorization"])
                self.answer(b'{"access_token":"t","token_type":"bearer","expires_in":"3600"}', "application/json")
            def do_CONNECT(self):
                note("CONNECT", self.path, "x", self.headers["X-Tunnel"], self.headers["Proxy-Authorization"])
                host, port = self.path.rsplit(":", 1)
                with socket.create_connection((host, int(port))) as far:
                    self.send_response(200)
                    self.end_headers()
                    near = self.connection
                    while True:
                        ready, _, _ = select.select([near, far], [], [], 20)
                        if not ready:
                            break
                        ended = False
                        for one in ready:
                            data = one.recv(65536)
                            if not data:
                                ended = True
                            (far if one is near else near).sendall(data)
                        if ended:
                            break
                self.close_connection = True
            def log_message(self, *_):
                pass
        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            def handle_error(self, request, address):
                note("error", sys.exc_info()[1])
        server = Server(("127.0.0.1", 0), Handler)
        if "cert" in options:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options["cert"], options["key"])
            if "ca" in options:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(options["ca"])
            if options.get("max") == "1.2":
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            if "alpn" in options:
                context.set_alpn_protocols(options["alpn"].split(","))
            context.sni_callback = lambda connection, name, _: note("sni", name)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        note("port", server.server_address[1])
        server.serve_forever()
        """
}
