/// How clients are encrypted, as the operator wants it.
struct TLSOptions: Equatable, Sendable {
  /// Whether clients need a certificate.
  enum ClientCertificates: String, Sendable {
    /// A client without one is not served.
    case required = "yes"
    case none = "no"
    /// A client without one is served; a client with a wrong one is not.
    case optional
  }

  /// The server's certificate, and those between it and a root.
  var certificateFile = ""
  /// The key of the certificate.
  var keyFile = ""
  /// The roots of the certificates of clients.
  var authorityFile = ""
  /// As in Redis, clients need a certificate unless the operator says otherwise.
  var clients = ClientCertificates.required

  /// - Throws: ``OptionError`` if a file is missing, or the program was built without TLS.
  func validate() throws(OptionError) {
    guard TLSIdentity.isBuiltIn else {
      throw OptionError(
        "tls-port: this program was built without TLS; swift build --traits TLS builds one with it")
    }
    guard !certificateFile.isEmpty, !keyFile.isEmpty else {
      throw OptionError("tls-port needs tls-cert-file and tls-key-file")
    }
    guard clients == .none || !authorityFile.isEmpty else {
      throw OptionError(
        "tls-port: set tls-ca-cert-file, by which certificates of clients are checked, or tls-auth-clients no"
      )
    }
  }
}
