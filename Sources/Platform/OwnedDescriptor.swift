package import SystemPackage

/// A descriptor that is closed when the value ends, unless it was taken.
package struct OwnedDescriptor: ~Copyable {
  /// The descriptor.
  package let descriptor: FileDescriptor

  /// Takes a descriptor that is open.
  package init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

  deinit { SystemCalls.release(descriptor) }

  /// The descriptor, which is the caller's to close from here on.
  package consuming func take() -> FileDescriptor {
    let taken = descriptor
    discard self
    return taken
  }
}
