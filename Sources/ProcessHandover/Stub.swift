public enum WriterLockError: Error, Equatable, Sendable { case held }
struct WriterLock: ~Copyable {
  static func acquire(of file: MemoryFile) throws(WriterLockError) -> WriterLock { WriterLock() }
}
