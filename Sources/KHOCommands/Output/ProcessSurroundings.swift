internal import Platform
internal import SystemPackage

/// Whether a person sees what is written to `descriptor`.
func isTerminal(_ descriptor: FileDescriptor) -> Bool { isatty(descriptor.rawValue) == 1 }

/// Whether what is written to `descriptor` may be in colour: a person sees it, on a terminal that has
/// colours, and has not set NO_COLOR.
func takesColor(_ descriptor: FileDescriptor) -> Bool {
  func isSet(_ name: String) -> Bool {
    // SAFETY: the environment does not change while the tool runs; the text is only compared.
    guard let value = unsafe getenv(name) else { return false }
    return unsafe value.pointee != 0
  }
  // SAFETY: as above.
  let isDumb = unsafe getenv("TERM").map { unsafe strcmp($0, "dumb") == 0 } ?? true
  return isTerminal(descriptor) && !isDumb && !isSet("NO_COLOR")
}

/// The size of a terminal's window, in characters.
struct WindowSize: Equatable {
  let width: Int
  let height: Int

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// That of the terminal behind `descriptor`; nil if the descriptor is not a terminal.
  init?(of descriptor: FileDescriptor) {
    var size = winsize()
    // SAFETY: the call stores into `size`, which lives through it, what TIOCGWINSZ stores.
    guard unsafe ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col >= 20,
      size.ws_row >= 8
    else { return nil }
    // The prompt needs a line of its own.
    self.init(width: Int(size.ws_col), height: Int(size.ws_row) - 1)
  }
}
