internal import FoundationEssentials
internal import KexecHandover
internal import Platform
internal import SystemPackage

extension ForgeDescription {
  /// The largest description that is read: 16 MiB.
  private static var largestByteCount: Int { 16 << 20 }

  /// Reads a JSON file, or a folder of sessions.
  static func read(_ path: String) throws(CommandFailure) -> ForgeDescription {
    let status: FileStatus
    do throws(Errno) { status = try SystemCalls.status(at: FilePath(path)) } catch {
      throw .badInput("\(path): cannot be read (\(error))")
    }
    return try status.kind == .directory ? readFolder(path) : readFile(path)
  }

  private static func readFile(_ path: String) throws(CommandFailure) -> ForgeDescription {
    let bytes: [UInt8]?
    do throws(MemoryImageError) {
      bytes = try SmallFile.read(FilePath(path), atMost: largestByteCount)
    } catch {
      throw .badInput("\(path): \(error.sentence)")
    }
    guard let bytes else {
      throw .badInput("\(path): larger than \(byteText(UInt64(largestByteCount)))")
    }
    let document: ForgeDocument
    do {
      document = try JSONDecoder().decode(ForgeDocument.self, from: Data(bytes))
    } catch {
      throw .badInput("\(path): \(sentence(of: error))")
    }
    do throws(ForgeError) {
      return try document.description(
        relativeTo: FilePath(path).removingLastComponent())
    } catch {
      throw .badInput("\(path): \(error.description)")
    }
  }

  /// Where in the document the error is, and what is wrong there.
  private static func sentence(of error: any Error) -> String {
    func place(_ path: [any CodingKey]) -> String {
      let text = path.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }
        .joined()
      return text.isEmpty ? "the description" : "\"\(text.drop { $0 == "." })\""
    }
    switch error as? DecodingError {
    case .dataCorrupted(let context)? where context.codingPath.isEmpty:
      return "is not JSON, or not as it is described in kho forge --help"
    case .dataCorrupted(let context)?:
      return "\(place(context.codingPath)): \(context.debugDescription)"
    case .keyNotFound(let key, let context)?:
      return "\(place(context.codingPath)) needs \"\(key.stringValue)\""
    case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
      return "\(place(context.codingPath)) is not of the type that kho forge --help shows"
    default: return "\(error)"
    }
  }

  private static func readFolder(_ path: String) throws(CommandFailure) -> ForgeDescription {
    var description = ForgeDescription()
    do {
      let root = FilePath(path)
      var sessions: [Session] = []
      for name in try entries(of: root) {
        let folder = root.appending(name)
        guard try SystemCalls.status(at: folder).kind == .directory else {
          throw CommandFailure.badInput(
            "\(folder): is not a folder, and only folders, sessions, can be in \(path)")
        }
        sessions.append(Session(name: name, files: try files(of: folder)))
      }
      description.sessions = sessions
    } catch let error as CommandFailure {
      throw error
    } catch let error as ForgeError {
      throw .badInput("\(path): \(error.description)")
    } catch {
      throw .badInput("\(path): cannot be read (\(error))")
    }
    return description
  }

  private static func files(of folder: FilePath) throws -> [File] {
    let names = try entries(of: folder)
    let tokens = names.compactMap { UInt64($0) }
    // Numbers of the folder's own, or all of them counted.
    let areNumbers = tokens.count == names.count && Set(tokens).count == names.count
    var files: [File] = []
    for (index, name) in names.enumerated() {
      let path = folder.appending(name)
      guard try SystemCalls.status(at: path).kind == .regular else {
        throw CommandFailure.badInput(
          "\(path): is not a regular file, and only files can be in a session")
      }
      files.append(
        File(
          token: areNumbers ? tokens[index] : UInt64(index + 1),
          contents: try ForgeContents(file: path)))
    }
    return files
  }

  private static func entries(of folder: FilePath) throws(Errno) -> [String] {
    try SystemCalls.names(in: folder).filter { $0 != "." && $0 != ".." }.sorted()
  }
}
