internal import DurableFiles
internal import NIOSSL

/// From configured certificates and keys to a TLS configuration.
enum TLSFiles {
    /// - Throws: `ScrapeFailure` that names the certificate or key that cannot be used.
    static func configuration(_ configuration: TLSClientConfiguration) throws(ScrapeFailure) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if configuration.skipsVerification { tls.certificateVerification = .none }
        tls.minimumTLSVersion = configuration.minimumVersion.map(version) ?? .tlsv12
        if let maximum = configuration.maximumVersion { tls.maximumTLSVersion = version(maximum) }
        let authority = try text(configuration.authority, configuration.authorityFile, "CA cert")
        if !authority.isEmpty {
            let name = configuration.authorityFile.isEmpty ? "<inline>" : configuration.authorityFile
            let problem = "unable to use specified CA cert \(name)"
            tls.trustRoots = .certificates(try certificates(authority, problem))
        }
        let chain = try text(configuration.certificate, configuration.certificateFile, "specified client cert")
        if !chain.isEmpty {
            let key = try text(configuration.key.revealed, configuration.keyFile, "specified client key")
            tls.certificateChain = try certificates(chain, "unable to use specified client cert").map {
                .certificate($0)
            }
            do {
                tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
            } catch {
                throw ScrapeFailure("unable to use specified client key: \(error)")
            }
        }
        return tls
    }

    private static func version(_ version: TLSClientConfiguration.Version) -> TLSVersion {
        switch version {
        case .tls10: .tlsv1
        case .tls11: .tlsv11
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }

    private static func certificates(
        _ pem: [UInt8], _ problem: String
    ) throws(ScrapeFailure) -> [NIOSSLCertificate] {
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(pem)
            if certificates.isEmpty { throw ScrapeFailure(problem) }
            return certificates
        } catch {
            throw ScrapeFailure(problem)
        }
    }

    private static func text(_ inline: String, _ file: String, _ what: String) throws(ScrapeFailure) -> [UInt8] {
        if file.isEmpty { return Array(inline.utf8) }
        do throws(SmallFile.Unreadable) {
            return try SmallFile.read(file)
        } catch {
            throw ScrapeFailure("unable to read \(what): \(error)")
        }
    }

    /// What tells whether one of the files has changed.
    static func stamps(_ configuration: TLSClientConfiguration) -> [FileStamp?] {
        [configuration.authorityFile, configuration.certificateFile, configuration.keyFile]
            .filter { !$0.isEmpty }.map { FileStamp(path: $0) }
    }
}
