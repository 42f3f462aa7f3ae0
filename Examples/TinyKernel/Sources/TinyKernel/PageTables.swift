import Machine

/// Memory mapped one to one, so that a physical address is a pointer.
enum PageTables {
  /// The end of what can be mapped: 64 GiB.
  static let limit: UInt64 = 64 << 30

  /// Maps everything below `end`, and at least 4 GiB, where devices are.
  ///
  /// The tables are in the boot area, which a kexec keeps. The next kernel writes the same words into
  /// the same places while it runs on them.
  static func map(upTo end: UInt64) {
    #if arch(x86_64)
      let tables = machine_image_start() + UInt64(BOOT_TABLES)
      let gigabytes = max(4, (min(end, limit) + (1 << 30) - 1) >> 30)
      for page in 0..<(gigabytes * 512) {
        machine_store64(tables + 0x2000 + 8 * page, page << 21 | 0x83)  // 2 MiB, writable
      }
      for slot in 0..<512 as Range<UInt64> {
        let directory = tables + 0x2000 + 4096 * slot
        machine_store64(tables + 0x1000 + 8 * slot, slot < gigabytes ? directory | 3 : 0)
        machine_store64(tables + 8 * slot, slot == 0 ? (tables + 0x1000) | 3 : 0)
      }
      // Linux may hand the processor on with a fifth level switched on, which cannot be switched off
      // here; then one more table points to the others.
      guard machine_has_five_levels() else { return machine_use_tables(tables) }
      let top = tables + 0x42000
      for slot in 1..<512 as Range<UInt64> { machine_store64(top + 8 * slot, 0) }
      machine_store64(top, tables | 3)
      machine_use_tables(top)
    #endif
  }
}
