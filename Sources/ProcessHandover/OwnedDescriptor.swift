internal import SystemPackage

/// A descriptor that is closed when the value ends, unless it was taken.
struct OwnedDescriptor: ~Copyable {
  let descriptor: FileDescriptor

  init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

  deinit { ProcessCalls.release(descriptor) }

  /// The descriptor, which is the caller's to close from here on.
  consuming func take() -> FileDescriptor {
    let taken = descriptor
    discard self
    return taken
  }
}
