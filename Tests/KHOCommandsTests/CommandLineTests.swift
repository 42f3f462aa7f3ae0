import Foundation
import HandoverTestSupport
import KexecHandover
import Testing

@testable import KHOCommands

@Suite struct CommandLineTests {
  @Test(arguments: ["inspect", "pages", "check"])
  func wrongCommandLines(of command: String) {
    let wrong: [[String]] = [
      [], ["a", "b"], ["--nonsense", "a"], ["--base", "a"], ["--base", "12X", "a"],
      ["--base", "-1", "a"], ["--page-size", "8K", "a"], ["--fdt-address", "0x", "a"],
      ["--v1-bitmap", "1024", "a"], ["--fdt", "f", "--fdt-address", "0", "a"],
    ]
    for arguments in wrong { expectUsage([command] + arguments) }
  }

  @Test func wrongOptionsOfPages() {
    for option in [
      ["--order", "64"], ["--order", "-1"], ["--order", "x"], ["--format", "yaml"],
      ["--range", "5"], ["--range", "5-5"], ["--range", "6-5"], ["--range", "1-2-3"],
      ["--range", "-5"], ["--range", "5-"],
    ] {
      expectUsage(["pages"] + option + ["a"])
    }
    expectUsage(["nonsense"])
    expectUsage(["--nonsense"])
  }

  private func expectUsage(_ arguments: [String]) {
    let run = CommandRun(arguments)
    #expect(run.status == 2, "\(arguments)")
    #expect(run.output == [], "\(arguments)")
    #expect(run.errors.contains("Usage: kho"), "\(arguments)")
  }

  @Test func helpVersionAndCompletions() {
    for arguments in [
      ["--help"], ["help"], [], ["inspect", "--help"], ["pages", "-h"], ["help", "check"],
      ["--version"], ["--generate-completion-script", "bash"],
      ["--generate-completion-script", "zsh"], ["--generate-completion-script", "fish"],
    ] {
      let run = CommandRun(arguments)
      #expect(run.status == 0, "\(arguments)")
      #expect(!run.output.isEmpty, "\(arguments)")
      #expect(run.errors == "", "\(arguments)")
    }
    #expect(kho("--version").text.split(separator: ".").count == 3)
    #expect(kho("check", "--help").text.contains("3 the input"))
  }

  @Test func numbers() {
    let good: [(String, UInt64)] = [
      ("0", 0), ("4096", 4096), ("0x1000", 4096), ("0X1f", 31), ("1K", 1024), ("2m", 2 << 20),
      ("0x3G", 3 << 30), ("4T", 4 << 40), ("0T", 0), ("007", 7),
      ("18446744073709551615", .max), ("0xffffffffffffffff", .max), ("16777215T", 16_777_215 << 40),
      ("0xffffff00", 0xffff_ff00),
    ]
    for (text, value) in good { #expect(parseNumber(text) == value, "\(text)") }
    for text in [
      "", " ", "K", "0x", "0xK", "x", "-1", "+1", "0x-1", "0x+1", "1KK", "1 K", "1_000", "1.5K",
      "18446744073709551616", "0x10000000000000000", "16777216T", "18014398509481984K", "0b1",
      "١", "0x١", "1P",
    ] {
      #expect(parseNumber(text) == nil, "\(text)")
    }
  }

  @Test func outputThatNobodyTakesIsAFailure() {
    var errors: [UInt8] = []
    let console = Console(output: { _ in "broken pipe" }, errors: { errors += $0 })
    #expect(
      KHOCommandLine.run(["pages", Fixture(name: "linux-7.3-kho-v4").path], console: console) == 4)
    #expect(String(decoding: errors, as: UTF8.self).contains("broken pipe"))
  }
}
