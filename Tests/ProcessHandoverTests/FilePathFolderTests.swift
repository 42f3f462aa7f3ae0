import Platform
import SystemPackage
import Testing

@Suite struct FilePathFolderTests {
  @Test(arguments: [
    "", "/", "a", "a/", "/a", "a/b", "/a/b", "//a//b//", "../a", "a/..", "./a", "/a/b/c.d", "ü/ß",
  ])
  func isWhatRemainsWithoutTheLastComponent(path: String) {
    let path = FilePath(path)
    let rest = path.removingLastComponent()
    #expect(path.folder == (rest.isEmpty ? "." : rest))
  }

  @Test func keepsBytesThatAreNoText() {
    let path = FilePath(platformString: [-1, 0x2f, -2, 0])
    #expect(path.folder == FilePath(platformString: [-1, 0]))
  }
}
