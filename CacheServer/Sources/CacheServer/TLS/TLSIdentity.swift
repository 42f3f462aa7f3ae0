internal import NIOCore

#if TLS
  internal import NIOSSL

  /// The certificate with which the server shows who it is, and the rules for those of clients.
  struct TLSIdentity: Sendable {
    /// Whether the program contains TLS: the trait of the package.
    static let isBuiltIn = true

    /// How long a client may take to end a connection that the server has ended.
    private static let shutdownPatience = TimeAmount.seconds(2)

    private let context: NIOSSLContext

    /// Reads the files.
    ///
    /// - Throws: ``StartFailure`` if one cannot be read, or the key is another certificate's.
    init(_ options: TLSOptions) throws(StartFailure) {
      let chain = try Self.read("tls-cert-file", options.certificateFile) {
        try NIOSSLCertificate.fromPEMFile($0)
      }
      let key = try Self.read("tls-key-file", options.keyFile) {
        try NIOSSLPrivateKey(file: $0, format: .pem)
      }
      var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
      configuration.minimumTLSVersion = .tlsv12
      configuration.shutdownTimeout = Self.shutdownPatience
      if options.clients != .none {
        let roots = try Self.read("tls-ca-cert-file", options.authorityFile) {
          try NIOSSLCertificate.fromPEMFile($0)
        }
        configuration.trustRoots = .certificates(roots)
        // A client has an address, and no name that its certificate could be compared with.
        configuration.certificateVerification =
          options.clients == .optional ? .optionalVerification : .noHostnameVerification
      }
      do { context = try NIOSSLContext(configuration: configuration) } catch {
        throw StartFailure(
          "\(options.certificateFile) and \(options.keyFile) cannot be used together: \(error)")
      }
    }

    private static func read<Content>(
      _ name: String, _ path: String, _ read: (String) throws -> Content
    ) throws(StartFailure) -> Content {
      do { return try read(path) } catch {
        throw StartFailure("\(name) \(path) cannot be read: \(sentence(of: error))")
      }
    }

    /// Has a connection decrypt what comes and encrypt what goes.
    func protect(_ pipeline: ChannelPipeline.SynchronousOperations) throws {
      try pipeline.addHandler(NIOSSLServerHandler(context: context))
    }
  }
#else
  /// In a program that was built without TLS: none can be made.
  struct TLSIdentity: Sendable {
    /// Whether the program contains TLS: the trait of the package.
    static let isBuiltIn = false

    private static let absence = StartFailure("this program was built without TLS")

    /// - Throws: ``StartFailure``.
    init(_ options: TLSOptions) throws(StartFailure) { throw Self.absence }

    /// - Throws: ``StartFailure``.
    func protect(_ pipeline: ChannelPipeline.SynchronousOperations) throws { throw Self.absence }
  }
#endif
