package import KexecHandover
package import Platform
internal import SystemPackage

extension ChildProcess {
  /// This program with other arguments.
  package static func program(_ arguments: [String]) -> Successor {
    Successor("/proc/self/exe", arguments: arguments)
  }

  /// Starts this program with other arguments; output and errors go where those of this process go.
  package init(_ arguments: [String]) throws(SuccessorError) {
    self.init(try Self.program(arguments).spawn())
  }
}
