import HandoverInspection
import MemoryAccess
import MemoryImages
import Platform
public import SystemPackage

extension ForgeDescription {
  /// The largest description that is read: 16 MiB.
  private static var largestByteCount: Int { 16 << 20 }

  /// Reads a description from a JSON file, or from a folder: each folder in it is a session, and each file in
  /// that is a memfd.
  ///
  /// - Throws: ``ForgeDescriptionError``.
  public init(reading path: FilePath) throws(ForgeDescriptionError) {
    guard try Self.kind(of: path) == .directory else {
      self = try Self.readFile(path)
      return
    }
    self.init()
    sessions = try Self.sessions(in: path)
  }

  private static func readFile(_ path: FilePath) throws(ForgeDescriptionError) -> Self {
    let bytes: [UInt8]?
    do throws(MemoryImageError) {
      bytes = try SmallFile.read(path, atMost: largestByteCount)
    } catch {
      throw ForgeDescriptionError(error.sentence)
    }
    guard let bytes else {
      throw ForgeDescriptionError("is larger than \(byteText(UInt64(largestByteCount)))")
    }
    let document: JSONValue
    do throws(JSONError) { document = try JSONValue(parsing: bytes) } catch {
      throw ForgeDescriptionError(
        "is not JSON as kho forge --help describes it: at byte \(error.byteOffset), "
          + "\(error.expected) was expected")
    }
    return try Self(document, relativeTo: path.removingLastComponent())
  }

  private static func sessions(in root: FilePath) throws(ForgeDescriptionError) -> [Session] {
    var sessions: [Session] = []
    for name in try entries(of: root) {
      let folder = root.appending(name)
      guard try kind(of: folder) == .directory else {
        throw ForgeDescriptionError(
          "\(folder) is not a folder, and only folders, sessions, can be here")
      }
      sessions.append(Session(name: name, files: try files(of: folder)))
    }
    return sessions
  }

  private static func files(of folder: FilePath) throws(ForgeDescriptionError) -> [File] {
    let names = try entries(of: folder)
    let tokens = names.compactMap { UInt64($0) }
    // Numbers of the folder's own, or all of them counted.
    let areNumbers = tokens.count == names.count && Set(tokens).count == names.count
    var files: [File] = []
    for (index, name) in names.enumerated() {
      let path = folder.appending(name)
      guard try kind(of: path) == .regular else {
        throw ForgeDescriptionError(
          "\(path) is not a regular file, and only files can be in a session")
      }
      do throws(ForgeError) {
        files.append(
          File(
            token: areNumbers ? tokens[index] : UInt64(index + 1),
            contents: try ForgeContents(file: path)))
      } catch {
        throw ForgeDescriptionError(error.description)
      }
    }
    return files
  }

  private static func kind(of path: FilePath) throws(ForgeDescriptionError) -> FileKind {
    do throws(Errno) { return try SystemCalls.status(at: path).kind } catch {
      throw ForgeDescriptionError("\(path) cannot be read (\(error))")
    }
  }

  private static func entries(of folder: FilePath) throws(ForgeDescriptionError) -> [String] {
    do throws(Errno) {
      return try SystemCalls.names(in: folder).filter { $0 != "." && $0 != ".." }.sorted()
    } catch {
      throw ForgeDescriptionError("\(folder) cannot be read (\(error))")
    }
  }
}
