import MemoryAccess

/// Where the members of a list keep what comes before and after them.
struct ListLinks {
  let next: UInt64
  let previous: UInt64

  static var extents: Self { Self(next: Extent.next, previous: Extent.previous) }
  static var extentsWithRoom: Self {
    Self(next: Extent.nextWithRoom, previous: Extent.previousWithRoom)
  }
  static var slabs: Self { Self(next: Slab.next, previous: Slab.previous) }
  static var largeObjects: Self {
    Self(next: LargeObject.next, previous: LargeObject.previous)
  }
}

/// Lists that lead both ways, with their first members in the root.
extension Arena where Storage: ~Copyable {
  mutating func link(
    _ member: UInt64, into list: UInt64, _ links: ListLinks
  ) throws(PersistentCollectionError) {
    let first = loadRoot(list)
    try set(first, at: member &+ links.next)
    try set(0, at: member &+ links.previous)
    if first != 0 {
      let first = try checked(first, byteCount: 64, foundAt: root &+ list)
      try set(member, at: first &+ links.previous)
    }
    try setRoot(member, list)
  }

  mutating func unlink(
    _ member: UInt64, from list: UInt64, _ links: ListLinks
  ) throws(PersistentCollectionError) {
    let next = load(member &+ links.next)
    let previous = load(member &+ links.previous)
    if next != 0 {
      let next = try checked(next, byteCount: 64, foundAt: member &+ links.next)
      try set(previous, at: next &+ links.previous)
    }
    if previous != 0 {
      let previous = try checked(previous, byteCount: 64, foundAt: member &+ links.previous)
      try set(next, at: previous &+ links.next)
    } else {
      try setRoot(next, list)
    }
  }
}
