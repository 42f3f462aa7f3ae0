package import SystemPackage

/// Makes exactly some descriptors survive execve(2), and undoes that where the call fails.
package struct DescriptorsAcrossExec: ~Copyable {
  private let passed: [FileDescriptor]
  /// Those of `passed` that were close-on-exec.
  private var opened: [FileDescriptor] = []
  /// The others that were not.
  private let closed: [FileDescriptor]

  /// Closes every descriptor on exec but the standard streams and `passed`.
  ///
  /// - Throws: fcntl(2); everything is as before.
  package init(passing passed: [FileDescriptor]) throws(Errno) {
    self.passed = passed
    closed = SystemCalls.openAcrossExec().filter { !passed.contains($0) }
    do throws(Errno) {
      try SystemCalls.keepOnExec(passed)
      for descriptor in passed where try SystemCalls.isClosedOnExec(descriptor) {
        try SystemCalls.setCloseOnExec(descriptor, false)
        opened.append(descriptor)
      }
    } catch {
      restore()
      throw error
    }
  }

  /// Makes every descriptor what it was before. A descriptor that another thread closed since is left
  /// alone.
  package func restore() {
    for descriptor in opened { try? SystemCalls.setCloseOnExec(descriptor, true) }
    for descriptor in closed { try? SystemCalls.setCloseOnExec(descriptor, false) }
  }
}
