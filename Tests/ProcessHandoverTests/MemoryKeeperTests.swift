import Foundation
import HandoverTestSupport
import Platform
import SystemPackage
import Testing

@testable import ProcessHandover

@Suite(.namesCombination, .timeLimit(.minutes(2))) struct MemoryKeeperTests {
  private let folder: TemporaryFolder
  private let path: FilePath

  init() throws {
    folder = try TemporaryFolder(in: TemporaryFolder.parents[0])
    path = folder.path.appending("memory")
    try MemoryFile.create(.path(path), byteCount: 4096).publish()
  }

  private func text(_ process: Int32, _ name: String) -> String? {
    try? String(contentsOfFile: "/proc/\(process)/\(name)", encoding: .utf8)
  }

  /// Whether the process is there, and no zombie.
  private func isRunning(_ process: Int32) -> Bool {
    guard let state = text(process, "stat")?.split(separator: ")").last else { return false }
    return !state.hasPrefix(" Z")
  }

  private func descriptors(_ process: Int32) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")
  }

  /// A helper that has a keeper, and the keeper; nil under the thread sanitizer, where there can be none.
  private func start() throws -> (HelperProcess, Int32)? {
    let helper = try HelperProcess("keep", path.string)
    let line = try helper.readLine()
    if line == "not supported" { return nil }
    return (helper, try #require(Int32(line), "no keeper: \(line)"))
  }

  @Test func sharesMemoryAndNothingElse() throws {
    guard let (helper, keeper) = try start() else { return }
    #expect(keeper != helper.processID)
    #expect(text(keeper, "comm") == "kho-keeper\n")
    #expect(try descriptors(keeper).count == 1)
    let maps = try #require(text(keeper, "maps"))
    #expect(maps.contains(path.string))
    // Its parent is init, or the process that adopts orphans; it has a process group of its own.
    let fields = try #require(text(keeper, "stat")?.split(separator: ")").last).split(
      separator: " ")
    #expect(fields[1] != "\(helper.processID)")
    #expect(fields[2] == "\(keeper)")
    // SCHED_IDLE: any thread of the next program runs before it.
    #expect(fields[38] == "5")
  }

  @Test func endsWhenTheProcessIsKilled() throws {
    guard let (helper, keeper) = try start() else { return }
    #expect(isRunning(keeper))
    helper.kill()
    // Whatever the keeper still holds, it is not the lock.
    let file = try MemoryFile.open(path)
    _ = try WriterLock.acquire(of: file)
    while isRunning(keeper) { sched_yield() }
  }

  @Test func endsWhenItIsStopped() throws {
    guard let (helper, keeper) = try start() else { return }
    try helper.proceed()
    #expect(try helper.readLine() == "stopped")
    // It has left the memory; that it is gone can take a moment.
    while isRunning(keeper) { sched_yield() }
    // The memory is the process's all the while.
    #expect(text(helper.processID, "maps")?.contains(path.string) == true)
    try helper.proceed()
    #expect(helper.wait() == 0)
  }

  @Test func signalsForTheGroupPassItBy() throws {
    guard let (helper, keeper) = try start() else { return }
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR2] { _ = sendSignal(keeper, signal) }
    #expect(isRunning(keeper))
    helper.kill()
    while isRunning(keeper) { sched_yield() }
  }

  @Test func failureIsTold() throws {
    SystemCalls.$interceptor.withValue(
      SystemCallInterceptor { $0 == .startKeeper ? .noMemory : nil }
    ) {
      #expect(throws: MemoryKeeperError.cannotStart(.noMemory)) { try MemoryKeeper.start() }
    }
  }
}

/// kill(2), which a method of the same name would hide.
private func sendSignal(_ process: Int32, _ signal: Int32) -> Int32 { kill(process, signal) }
