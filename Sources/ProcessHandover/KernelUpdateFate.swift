/// What becomes of a memory file in a kernel update by Live Update.
public enum KernelUpdateFate: Hashable, Sendable {
  /// The next kernel has it, writable: a memfd, or a file on tmpfs without a name.
  case kept
  /// The next kernel has it, read-only: a memfd that is sealed against execution, as all are that are
  /// made while `vm.memfd_noexec` is 2. Its contents must be copied there.
  case readOnly
  /// Live Update does not take it: a file on tmpfs that has a name, or one of huge pages.
  case lost
  /// It is on a disk, which a kernel update does not change.
  case notNeeded
}
