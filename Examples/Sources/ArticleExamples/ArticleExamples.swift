// The examples of the articles, so that the compiler checks them. A test compares each with its article.

import KexecHandover
import PersistentCollections
import SystemPackage

/// MemoryFiles.md: a value in a memory file.
func countStarts() throws {
  var memory = try PreservedMemory.open("/dev/shm/service")
  let count = try memory.value(named: "count", initially: 0 as UInt64)
  memory.store(memory.load(count) + 1, to: count)
}

/// CollectionsInMemory.md: two collections in one store.
func countVisits() throws {
  let store = try PersistentStore.open("/dev/shm/service")
  let users = try store.map("users", of: (String.self, UInt64.self))
  let visits = try store.orderedMap("visits", of: (UInt64.self, String.self))
  try store.transaction {
    try users.set((users["ann"] ?? 0) + 1, for: "ann")
    try visits.set("ann", for: 1)
  }
}

/// CollectionsInMemory.md: values of any `Codable` type.
struct Job: Codable {
  var name: String
  var attempts: Int
  var deadline: Double?
}

func queueJob() throws {
  let store = try PersistentStore.open("/dev/shm/service")
  let jobs = try store.orderedMap("jobs", of: (UInt64.self, Coded<Job>.self))
  try jobs.set(Coded(Job(name: "mail", attempts: 0)), for: 1)
  if var job = try jobs[1]?.value {
    job.attempts += 1
    try jobs.set(Coded(job), for: 1)
  }
}

/// CollectionsInMemory.md: a structure of numbers.
struct Account: Preservable, PersistentElement {
  var cents: Int64
  var changedAt: UInt64
}

/// CollectionsInMemory.md: a type that writes its own bytes.
struct Colour: PersistentElement {
  var red: UInt8, green: UInt8, blue: UInt8

  static var persistentTypeNumber: UInt64 { 256 }
  var persistentByteCount: Int { 3 }

  func write(to bytes: inout MutableRawSpan) {
    [red, green, blue].write(to: &bytes)
  }

  init?(persistentBytes bytes: RawSpan) {
    guard let parts = [UInt8](persistentBytes: bytes), parts.count == 3 else { return nil }
    (red, green, blue) = (parts[0], parts[1], parts[2])
  }
}

/// CollectionsInMemory.md: logs, counters and single values.
func recordEvents() throws {
  let store = try PersistentStore.open("/dev/shm/service")
  let events = try store.log("events", of: String.self)
  let number = try events.append("started")
  for (number, event) in events.entries(from: try events.range.lowerBound) { print(number, event) }
  // Takes the first entry out; nil of an empty log. In a transaction, what is done with it happens too, or neither.
  while let event = try events.removeFirst() { print("done:", event) }
  // Removes all entries up to this number at once.
  try events.removeEntries(before: number + 1)

  let requests = try store.counter("requests")
  try requests.add()
  try requests.add(-1)
  print(try requests.value)

  let motto = try store.value("motto", of: String.self)
  print(try motto.value ?? "none was set")
  try motto.set("carry on")
}

/// CollectionsInMemory.md: a standby.
func standBy(for path: FilePath) throws -> PersistentStore {
  try PreservedMemory.awaitRelease(of: path)
  return try PersistentStore(PreservedMemory.open(path))
}

/// CollectionsInMemory.md: an upgrade to a child.
func upgrade(_ store: PersistentStore, to program: FilePath) throws -> Int32 {
  try store.close().handOver(toChild: Successor(program))
}

/// CollectionsInMemory.md: a commit that survives a power loss.
func commitVisits() throws {
  let store = try PersistentStore.open("/dev/shm/service")
  let visits = try store.orderedMap("visits", of: (UInt64.self, String.self))
  let copies = try DurableCopies(of: store, in: "/var/lib/service")
  try store.transaction { try visits.set("ann", for: 1) }
  try copies.commit()
}

/// MapsAndPlans.md: what a handover of this machine costs.
func planHandover() throws {
  guard let known = try MachineSources(ofSystemAt: "/").machine() else { return }
  let scratch = try PlannedScratch(for: known, payloadByteCount: 80 << 20)
  let workload = try PlannedWorkload(
    [(order: 0, count: 1_000_000)], fragmentation: 0.1,
    memoryByteCount: known.machine.memoryByteCount, geometry: .pages4KiB)
  print(workload.footprint.treeByteCount, scratch.recommended?.advice.option ?? "not known")
  let result = PlanResult(machine: known.machine, workload: workload, scratch: scratch)
  print(JSONDocument.plan(result).text())
}

/// UpdatingAKernel.md: before the update.
func preserve(
  _ memory: borrowing PreservedMemory
) throws -> LiveUpdate.OutgoingSession {
  let device = try LiveUpdate.open()
  let session = try device.createSession(named: "cache")
  // For a memfd that is not a PreservedMemory: session.preserve(file, token: 1).
  try memory.preserve(in: session)
  // … serve on; keep `session` until the kernel is started.
  return session
}

/// UpdatingAKernel.md: after the update.
func retrieve() throws -> PreservedMemory {
  let device = try LiveUpdate.open()
  let session = try device.retrieveSession(named: "cache")
  let memory = try PreservedMemory.retrieved(from: session)
  // From here on the memory can grow, and be preserved again.
  try session.finish()
  return memory
}
