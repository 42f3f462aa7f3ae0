// The examples of the articles, so that the compiler checks them. A test compares each with its article.

import KexecHandover
import PersistentCollections

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
