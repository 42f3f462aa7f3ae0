import HandoverTestSupport
import Testing

@testable import ProcessHandover

@Suite(.namesCombination) struct SuccessorVariableTests {
  private func entry(_ name: String, _ number: Int32) -> SuccessorVariable.Entry {
    .init(name: name, number: number, identity: FileIdentity(device: 0x1a, inode: .max))
  }

  @Test func whatIsWrittenIsRead() throws {
    let variable = SuccessorVariable([entry("memory", 3), entry("a=b;c %~", 0)])
    #expect(
      variable.text
        == "1;memory=3:1a:ffffffffffffffff;a%3db%3bc%20%25%7e=0:1a:ffffffffffffffff")
    #expect(try SuccessorVariable(parsing: variable.text) == variable)
    let empty = SuccessorVariable([])
    #expect(try empty.text == "1" && SuccessorVariable(parsing: "1") == empty)
    // The longest that can be: nothing of it is refused.
    let longest = SuccessorVariable(
      (0..<64).map { number in
        let name = String(repeating: "~", count: 62) + String(number + 10)
        return .init(
          name: name, number: .max - Int32(number),
          identity: FileIdentity(device: .max, inode: .max))
      })
    #expect(try SuccessorVariable(parsing: longest.text) == longest)
  }

  @Test func whatNobodyWrote() throws {
    let malformed = [
      "", ";", "x", "-1", "+1", "1;", "1;;", "1;a", "1;a=", "1;a=3", "1;a=3:1", "1;a=3:1:",
      "1;a=3:1:2:3", "1;=3:1:2", "1;a=-3:1:2", "1;a=+3:1:2", "1;a=3:-1:2", "1;a=3:1:+2",
      "1;a=3:1:G", "1;a=3:1:A", "1;a=2147483648:1:2", "1;a=4294967296:1:2",
      "1;a=3:10000000000000000:2", "1;a=3:1:2;", "1;a=3:1:2;a=4:1:2", "1;a=3:1:2;b=3:1:2",
      "1;a%=3:1:2", "1;a%2=3:1:2", "1;a%zz=3:1:2", "1;a%3a=3:1:2", "1;a%00=3:1:2", "1;a%ff=3:1:2",
      "1;a b=3:1:2", "1;a%+1=3:1:2", " 1;a=3:1:2", "1;a=3 :1:2", "4294967296",
      "1;\(String(repeating: "a", count: 65))=3:1:2",
      "1" + (0...64).map { ";n\($0)=\($0):1:2" }.joined(),
      "1;" + String(repeating: ";", count: SuccessorVariable.byteCountLimit),
      String(repeating: "9", count: 100_000),
    ]
    for text in malformed {
      #expect(throws: SuccessorError.malformedVariable, "\(text.prefix(80))") {
        try SuccessorVariable(parsing: text)
      }
    }
    for (text, version) in [("2", 2), ("0;a", 0), ("4294967295;x=1", .max)] as [(String, UInt32)] {
      #expect(throws: SuccessorError.unsupportedVersion(version)) {
        try SuccessorVariable(parsing: text)
      }
    }
  }

  @Test func everyDamageOfOneByte() throws {
    let variable = SuccessorVariable([entry("memory", 3), entry("a;b", 4)])
    let bytes = Array(variable.text.utf8)
    for index in bytes.indices {
      for value in UInt8.min...UInt8.max {
        var damaged = bytes
        damaged[index] = value
        let text = String(decoding: damaged, as: UTF8.self)
        guard let found = try? SuccessorVariable(parsing: text) else { continue }
        // What can still be read says one thing only.
        try #require(try SuccessorVariable(parsing: found.text) == found, "\(text)")
        try #require(found.entries.count == 2 || index == 0, "\(text)")
      }
    }
  }

  @Test func names() {
    for name in ["a", "fd 1", String(repeating: "x", count: 64)] {
      #expect(NamedDescriptor.isValidName(name))
    }
    for name in ["", "a:b", "a\n", "\u{7f}", "é", String(repeating: "x", count: 65)] {
      #expect(!NamedDescriptor.isValidName(name))
    }
  }
}
