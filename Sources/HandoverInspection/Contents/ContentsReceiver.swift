import Handover
import MemoryAccess

/// Takes the content of the registered blobs while it is read, so that all of it need never be in memory.
///
/// A blob is complete at its end, a session and a file at theirs. Between its beginning and its end comes what is
/// inside:
///
///     begin(liveUpdate) · take(sharedData)… · begin(session) · begin(file) · begin(memfd) · take(run)…
///       · end(file) … · end(session) … · end(blob)
///     begin(khoTest) · take(folio)… · end(blob)
protocol ContentsReceiver {
  /// The self-test's record, without counts; its folios come next.
  mutating func begin(_ test: KHOTestContents)
  /// A folio of the self-test.
  mutating func take(_ folio: PhysicalBlock)
  /// The record of the Live Update Orchestrator, without counts; shared data and sessions come next.
  mutating func begin(_ liveUpdate: LiveUpdateContents)
  /// Data that the files of one handler share.
  mutating func take(_ data: LiveUpdateSharedData)
  /// A session, without counts; its files come next.
  mutating func begin(_ session: SessionContents)
  /// A file, without what is kept of it.
  ///
  /// - Returns: whether what is kept of it is to be counted.
  mutating func begin(_ file: FileContents) -> Bool
  /// What is kept of the file, without counts; its runs come next.
  mutating func begin(_ memfd: MemfdContents)
  /// Folios of the memfd. Called only if runs are wanted.
  mutating func take(_ run: MemfdRun)
  /// The file, with what is kept of it, its counts and its error; without its runs.
  mutating func end(_ file: FileContents)
  /// The session, with its counts and its error; without its files.
  mutating func end(_ session: SessionContents)
  /// The blob, with its record and its error; without what came before.
  mutating func end(_ blob: SubtreeContents)
  /// Whether the receiver takes more; false ends the reading.
  var takesMore: Bool { get }
}
