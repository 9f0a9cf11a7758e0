internal import DurableFiles
internal import NIOCore
internal import NIOSSL

/// The TLS rules for new connections, made from one version of the configuration and its files.
struct TLSSession: Sendable {
    private enum PeerCheck: Sendable {
        /// The library checks against the configured authorities, if it asks at all.
        case library
        /// Any certificate will do.
        case none
    }

    private let context: NIOSSLContext
    private let peerCheck: PeerCheck
    private let allowedSANs: [String]?

    /// Checks everything that is known before a connection comes.
    /// - Throws: ``WebConfig/Invalid``.
    static func validate(_ config: WebConfig) throws(WebConfig.Invalid) {
        if config.tls.isEnabled { _ = try TLSSession(config) }
    }

    /// Loads certificates and keys.
    /// - Throws: ``WebConfig/Invalid`` in upstream's words.
    init(_ config: WebConfig) throws(WebConfig.Invalid) {
        let tls = config.tls
        guard !tls.certificateFile.isEmpty || !tls.certificate.isEmpty else {
            throw WebConfig.Invalid("missing one of cert or cert_file")
        }
        guard !tls.keyFile.isEmpty || !tls.key.isEmpty else {
            throw WebConfig.Invalid("missing one of key or key_file")
        }
        let certificate = try Self.content(tls.certificateFile, tls.certificate, field: "cert_file")
        let key = try Self.content(tls.keyFile, tls.key, field: "key_file")
        var settings = try Self.keyPair(certificate, key)
        settings.minimumTLSVersion = Self.version(tls.minVersion)
        settings.maximumTLSVersion = Self.version(tls.maxVersion)
        if !tls.cipherSuites.isEmpty {
            if config.http2, tls.maxVersion >= .tls12, !tls.cipherSuites.contains(0xC02F),
                !tls.cipherSuites.contains(0xC02B)
            {
                throw WebConfig.Invalid(
                    "http2: TLSConfig.CipherSuites is missing an HTTP/2-required AES_128_GCM_SHA256 cipher (need at "
                        + "least one of TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 or "
                        + "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)")
            }
            settings.cipherSuiteValues = tls.cipherSuites.filter { $0 >> 8 != 0x13 }.map { NIOTLSCipher($0) }
        }
        if !tls.curves.isEmpty { settings.curves = tls.curves.map { NIOTLSCurve($0) } }
        settings.applicationProtocols = config.http2 ? ["h2", "http/1.1"] : ["http/1.1"]
        peerCheck = try Self.configurePeer(tls, &settings)
        allowedSANs = tls.clientAllowedSANs
        do {
            context = try NIOSSLContext(configuration: settings)
        } catch {
            throw WebConfig.Invalid("tls: cannot use the configured certificate and key: \(error)")
        }
    }

    /// The handler of one connection.
    func makeHandler() -> NIOSSLServerHandler {
        switch peerCheck {
        case .library: NIOSSLServerHandler(context: context)
        case .none:
            NIOSSLServerHandler(
                context: context, customVerificationCallback: { _, promise in promise.succeed(.certificateVerified) },
                configuration: .init())
        }
    }

    /// Checks the names in the client's certificate, after the handshake, on the event loop.
    /// - Throws: ``WebConfig/Invalid`` if none of them is allowed.
    func checkPeer(_ channel: any Channel) throws {
        guard let allowedSANs else { return }
        let handler = try channel.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
        let names = handler.peerCertificate.map(Self.names) ?? []
        guard names.contains(where: allowedSANs.contains) else {
            throw WebConfig.Invalid("could not find allowed SANs in client cert, found: \(allowedSANs)")
        }
    }

    private static func names(_ certificate: NIOSSLCertificate) -> [String] {
        certificate._subjectAlternativeNames().compactMap { name in
            name.contents.withUnsafeBufferPointer { bytes in
                switch name.nameType {
                case .dnsName, .email, .uri: String(decoding: bytes, as: UTF8.self)
                case .ipAddress:
                    try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0).ipAddress
                default: nil
                }
            }
        }
    }

    private static func content(
        _ file: String, _ inline: String, field: String
    ) throws(WebConfig.Invalid) -> [UInt8] {
        if file.isEmpty { return Array(inline.utf8) }
        do throws(SmallFile.Unreadable) {
            return try SmallFile.read(file)
        } catch {
            throw WebConfig.Invalid("failed to read \(field) (\(file)): \(error)")
        }
    }

    private static func keyPair(_ certificate: [UInt8], _ key: [UInt8]) throws(WebConfig.Invalid) -> TLSConfiguration {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(certificate)
            guard !chain.isEmpty else {
                throw WebConfig.Invalid("tls: failed to find any PEM data in certificate input")
            }
            let privateKey = try NIOSSLPrivateKey(bytes: key, format: .pem)
            return TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        } catch let error as WebConfig.Invalid {
            throw WebConfig.Invalid("failed to load X509KeyPair: \(error)")
        } catch {
            throw WebConfig.Invalid("failed to load X509KeyPair: tls: cannot read certificate or key: \(error)")
        }
    }

    /// Source: prometheus/exporter-toolkit web/tls_config.go (`ConfigToTLSConfig`).
    private static func configurePeer(
        _ tls: WebConfig.TLSConfig, _ settings: inout TLSConfiguration
    ) throws(WebConfig.Invalid) -> PeerCheck {
        var check = PeerCheck.library
        switch tls.clientAuth {
        case "", "NoClientCert":
            guard tls.clientCAFile.isEmpty, tls.clientCA.isEmpty else {
                throw WebConfig.Invalid("client CA's have been configured without a Client Auth Policy")
            }
            settings.certificateVerification = .none
            return check
        case "RequestClientCert":
            settings.certificateVerification = .optionalVerification
            check = .none
        case "RequireAnyClientCert", "RequireClientCert":
            settings.certificateVerification = .noHostnameVerification
            check = .none
        case "VerifyClientCertIfGiven": settings.certificateVerification = .optionalVerification
        case "RequireAndVerifyClientCert": settings.certificateVerification = .noHostnameVerification
        default: throw WebConfig.Invalid("invalid ClientAuth: \(tls.clientAuth)")
        }
        guard !tls.clientCAFile.isEmpty || !tls.clientCA.isEmpty else { return check }
        let pem: [UInt8]
        do throws(SmallFile.Unreadable) {
            pem = tls.clientCAFile.isEmpty ? Array(tls.clientCA.utf8) : try SmallFile.read(tls.clientCAFile)
        } catch {
            throw WebConfig.Invalid(error.description)
        }
        let authorities = (try? NIOSSLCertificate.fromPEMBytes(pem)) ?? []
        settings.trustRoots = .certificates(authorities)
        settings.sendCANameList = true
        return check
    }

    private static func version(_ version: WebConfig.TLSVersion) -> TLSVersion {
        switch version {
        case .tls10: .tlsv1
        case .tls11: .tlsv11
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }
}
