internal import ArgumentParser
internal import KexecHandover
internal import PersistentCollections
internal import SystemPackage

/// `kho store`: the collections in a memory file.
struct Store: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the collections in a memory file, or prints the entries of one.",
    discussion: """
      FILE is the memory file of a PersistentStore, or of maps that were opened alone. `store` only reads it, \
      even while a process uses it. It checks each collection and prints each finding.

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
    let contents: MemoryContents
    do throws(MemoryContentsError) { contents = try MemoryContents(reading: image) } catch {
      throw CommandFailure.badInput("\(path) cannot be read: \(error.sentence)")
    }
    let inspection: StoreInspection<MemoryImage>?
    do throws(PersistentCollectionError) {
      inspection = try StoreInspection(contents, in: image)
    } catch {
      throw CommandFailure.badInput("\(path): \(error.sentence(in: "its ledger"))")
    }
    if let entriesName {
      try printEntries(of: entriesName, inspection)
    } else {
      try printCollections(inspection)
    }
  }

  private func printCollections(_ inspection: StoreInspection<MemoryImage>?) throws {
    let console = Console.current
    let collections = inspection?.collections ?? []
    let reports = collections.map { inspection?.check($0) }
    let findingCount = zip(collections, reports).reduce(0) {
      $0 + ($1.0.failure == nil ? 0 : 1) + ($1.1?.findings.count ?? 0)
    }
    if json {
      console.printJSON(
        JSONDocument.store(collections, reports, isChanging: inspection?.isChanging ?? false))
    } else if collections.isEmpty {
      console.print("\(path) has no collections")
    } else {
      var table = TextTable([.left, .left, .right, .right, .right])
      table.add(["NAME", "KIND", "ENTRIES", "KEYS AND VALUES", "MEMORY"])
      for (collection, report) in zip(collections, reports) {
        let byteCount = collection.pieces.reduce(collection.root.byteCount) { $0 &+ $1.byteCount }
        table.add([
          collection.name, collection.kind?.rawValue ?? "unknown", "\(collection.count)",
          "\(report?.payloadByteCount ?? 0)", "\(byteCount)",
        ])
      }
      for line in table.lines() { console.print(line) }
      if inspection?.isChanging == true {
        console.print(
          "a change is being made, or its process was killed in it: the next process that opens the file undoes or completes it"
        )
      }
      for (collection, report) in zip(collections, reports) {
        if let failure = collection.failure {
          console.print("\(collection.name): \(failure.sentence(in: "its root"))")
          continue
        }
        for finding in report?.findings.prefix(20) ?? [] {
          console.print("\(collection.name): \(finding)")
        }
      }
    }
    // What a change has half made is not a fault.
    if findingCount > 0, inspection?.isChanging != true {
      throw CommandFailure.findings()
    }
  }

  private func printEntries(of name: String, _ inspection: StoreInspection<MemoryImage>?) throws {
    guard let inspection, let collection = inspection.collections.first(where: { $0.name == name })
    else {
      throw CommandFailure.badInput(
        "\(path) has no collection called \(name). kho store \(path) lists them.")
    }
    let console = Console.current
    let isOrdered = collection.kind == .orderedMap
    do throws(PersistentCollectionError) {
      try inspection.forEachEntry(of: collection) { key, value, notes in
        let keyText =
          collection.kind == .log
          ? StoredValueText.json(key, type: 6)
          : StoredValueText.json(
            key, type: collection.types.key, isOrdered: isOrdered)
        let valueText = StoredValueText.json(value, type: collection.types.value)
        var line = #"{"key": \#(keyText), "value": \#(valueText)"#
        if notes != EntryNotes() { line += #", "notes": [\#(notes.first), \#(notes.second)]"# }
        console.print(line + "}")
        return true
      }
    } catch {
      throw CommandFailure.badInput("\(path): \(error.sentence(in: name))")
    }
  }
}

extension PersistentCollectionError {
  func sentence(in place: String) -> String {
    switch self {
    case .damaged(let address): "\(place) is damaged at \(address)"
    case .unknownLayout(let version): "\(place) is of layout \(version), which is not known here"
    case .notThisCollection: "\(place) is of a kind that is not known here"
    default: "\(place) cannot be read (\(self))"
    }
  }
}
