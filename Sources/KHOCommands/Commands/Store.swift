internal import ArgumentParser
internal import KexecHandover
internal import PersistentCollections
internal import SystemPackage

/// `kho store`: the collections in a memory file.
struct Store: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store",
    abstract: "Lists the collections in a memory file, or prints the entries of one.",
    discussion: """
      FILE is the memory file of a PersistentStore, or of maps that were opened alone. `store` only reads it, \
      even while a process uses it. It checks each collection and prints each finding. VALUE is the number of a \
      counter.

      With --entries, each entry is a line of JSON with its key and its value. Values of unknown types, and \
      bytes that are not UTF-8, are printed as hexadecimal digits.

      Examples:
        kho store /dev/shm/service
        kho store --entries users /dev/shm/service
        kho store --json /dev/shm/service

      \(ExitStatus.help)
      """)

  @Argument(help: ArgumentHelp("A memory file.", valueName: "file"), completion: .file())
  var path: String

  @Option(
    name: .customLong("entries"),
    help: ArgumentHelp("Print the entries of this collection.", valueName: "name"))
  var entriesName: String?

  @Flag(help: "Print JSON.")
  var json = false

  func run() throws {
    let image: MemoryImage
    do throws(MemoryImageError) { image = try MemoryImage.open(FilePath(path), base: .zero) } catch
    {
      throw CommandFailure.badInput("\(path) cannot be read: \(error.sentence)")
    }
    guard SuperblockContents.isMemoryFile(image) else {
      throw CommandFailure.badInput(
        "\(path) is not a memory file: its first word is another. Name the file of a PersistentStore."
      )
    }
    if let entriesName {
      try printEntries(of: entriesName, in: image)
    } else {
      try printCollections(in: image)
    }
  }

  /// Reads the collections, and calls `body` with them; repeats that while another process changes them, up to 20
  /// times.
  ///
  /// - Returns: what `body` returned last, and whether it belongs to one instant.
  private func reading<Result>(
    _ image: MemoryImage, _ body: (StoreInspection<MemoryImage>?) throws -> Result
  ) throws -> (Result, isCurrent: Bool) {
    let attemptLimit = 20
    for attempt in 1... {
      do {
        let contents = try MemoryContents(reading: image)
        let inspection = try StoreInspection(contents, in: image)
        let result = try body(inspection)
        let isCurrent = inspection?.isCurrent ?? true
        if isCurrent || attempt == attemptLimit { return (result, isCurrent) }
      } catch let error as MemoryContentsError where attempt >= attemptLimit {
        throw CommandFailure.badInput("\(path) cannot be read: \(error.sentence)")
      } catch let error as PersistentCollectionError where attempt >= attemptLimit {
        throw CommandFailure.badInput("\(path): \(error.sentence(in: "its ledger"))")
      } catch is MemoryContentsError {
      } catch is PersistentCollectionError {
      }
    }
    preconditionFailure("the attempts have a limit")
  }

  private func printCollections(in image: MemoryImage) throws {
    let console = Console.current
    let (found, isCurrent) = try reading(image) { inspection in
      let collections = inspection?.collections ?? []
      return (
        collections, collections.map { inspection?.check($0) }, inspection?.isChanging ?? false
      )
    }
    let (collections, reports, isChanging) = found
    let findingCount = zip(collections, reports).reduce(0) {
      $0 + ($1.0.failure == nil ? 0 : 1) + ($1.1?.findings.count ?? 0)
    }
    if json {
      console.printJSON(JSONDocument.store(collections, reports, isChanging: isChanging))
    } else if collections.isEmpty {
      console.print("\(path) has no collections")
    } else {
      var table = TextTable([.left, .left, .right, .right, .right, .right])
      table.add(["NAME", "KIND", "ENTRIES", "KEYS AND VALUES", "MEMORY", "VALUE"])
      for (collection, report) in zip(collections, reports) {
        table.add([
          printable(collection.name), collection.kind?.rawValue ?? "unknown",
          "\(collection.count)", "\(report?.payloadByteCount ?? 0)",
          "\(collection.memoryByteCount)", collection.value.map { "\($0)" } ?? "",
        ])
      }
      for line in table.lines() { console.print(line) }
      if isChanging {
        console.print(
          "a change is being made, or its process was killed in it: it is not shown, and the next process that opens the file undoes it"
        )
      }
      for (collection, report) in zip(collections, reports) where isCurrent {
        if let failure = collection.failure {
          console.print("\(printable(collection.name)): \(failure.sentence(in: "its root"))")
          continue
        }
        for finding in report?.findings.prefix(20) ?? [] {
          console.print("\(printable(collection.name)): \(finding)")
        }
      }
    }
    guard isCurrent else { return try complainOfChanges() }
    if findingCount > 0 { throw CommandFailure.findings() }
  }

  /// Ends the command because the store changed each time that it was read.
  private func complainOfChanges() throws {
    throw CommandFailure.badInput(
      "\(path): a process changed the store each time that it was read, so what was printed is not of one instant; read a copy that PersistentStore.backUp(to:) made"
    )
  }

  private func printEntries(of name: String, in image: MemoryImage) throws {
    let console = Console.current
    // Lines are kept until it is known that they are of one instant. Beyond this number, they are printed before
    // that.
    let keptLineLimit = 200_000
    var lines: [String] = []
    var hasPrinted = false
    func flush() {
      for line in lines { console.print(line) }
      lines = []
    }
    let (failure, isCurrent) = try reading(image) { inspection -> PersistentCollectionError? in
      if hasPrinted { try complainOfChanges() }
      lines = []
      guard let inspection,
        let collection = inspection.collections.first(where: { $0.name == name })
      else {
        throw CommandFailure.badInput(
          "\(path) has no collection called \(name). kho store \(path) lists them.")
      }
      do throws(PersistentCollectionError) {
        try inspection.forEachEntry(of: collection) { key, value, metadata in
          lines.append(line(key, value, metadata, of: collection))
          if lines.count == keptLineLimit {
            flush()
            hasPrinted = true
          }
          return true
        }
        return nil
      } catch {
        return error
      }
    }
    flush()
    if let failure, isCurrent {
      throw CommandFailure.badInput("\(path): \(failure.sentence(in: name))")
    }
    if !isCurrent { try complainOfChanges() }
  }

  /// An entry as a line of JSON.
  private func line(
    _ key: RawSpan, _ value: RawSpan, _ metadata: EntryMetadata,
    of collection: StoreInspection<MemoryImage>.Collection
  ) -> String {
    let keyText =
      collection.kind == .log
      ? StoredValueText.json(key, type: UInt64.persistentTypeNumber)
      : StoredValueText.json(
        key, type: collection.types.key, isOrdered: collection.kind == .orderedMap)
    let valueText = StoredValueText.json(value, type: collection.types.value)
    var line = #"{"key": \#(keyText), "value": \#(valueText)"#
    if metadata != EntryMetadata() {
      line += #", "metadata": [\#(metadata.first), \#(metadata.second)]"#
    }
    return line + "}"
  }
}
