import PersistentCollections

// Counts visits by name, and keeps them in order. Run it again, or kill -9 it and run it again.
let arguments = CommandLine.arguments
let store = try PersistentStore.open(.init(arguments.count > 1 ? arguments[1] : "/dev/shm/visits"))
let users = try store.map("users", of: (String.self, UInt64.self))
let visits = try store.orderedMap("visits", of: (UInt64.self, String.self))

for name in arguments.dropFirst(2) {
  // Both collections change, or neither does, also when the process is killed in between.
  try store.transaction {
    try users.set((users[name] ?? 0) + 1, for: name)
    try visits.set(name, for: (visits.last?.key ?? 0) + 1)
  }
}
for (number, name) in visits.entries(from: 1, to: 4) { print("visit", number, "was", name) }
for collection in try store.contents() { print(collection.name, collection.count) }
