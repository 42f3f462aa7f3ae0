internal import NIOCore
internal import ProcessHandover
internal import SystemPackage

/// An error of the server itself, with a sentence for the operator.
protocol ErrorForPeople: Error {
  var sentence: String { get }
}

/// What went wrong, in words for the operator: the sentence of the server's own error, or the description of a
/// library's.
func sentence(of error: any Error) -> String {
  switch error {
  case let error as any ErrorForPeople: error.sentence
  case DescriptorChannelError.truncated, PreservedMemoryError.channel(.truncated):
    // Between two processes of this server, the limit on descriptors is the reason.
    "a message came without all of its descriptors: more are needed than the limit allows (ulimit -n)"
  case let error as IOError: "\(Errno(rawValue: error.errnoCode))"
  case let error as any Error & CustomStringConvertible: error.description
  default: "an unexpected error (\(error))"
  }
}
