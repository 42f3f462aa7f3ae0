internal import SystemPackage

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// Whether a person sees what is written to `descriptor`.
func isTerminal(_ descriptor: FileDescriptor) -> Bool { isatty(descriptor.rawValue) == 1 }

extension KHOCommandLine {
  /// Ends the process with one sentence where a mapped image is cut short by another program while
  /// it is read (SIGBUS), instead of dying without a word.
  public static func explainBusErrors() {
    signal(SIGBUS) { _ in
      let message: StaticString = "kho: the image was truncated while it was being read\n"
      // SAFETY: the text is part of the program; only calls that a handler may make.
      _ = unsafe write(2, message.utf8Start, message.utf8CodeUnitCount)
      _exit(CommandFailure.badInputStatus)
    }
  }
}
