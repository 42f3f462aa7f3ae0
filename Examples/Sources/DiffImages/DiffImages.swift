import KexecHandover
import SystemPackage

// What differs between two images, and who has the memory that the second one preserves.
let paths = CommandLine.arguments.dropFirst().map { FilePath($0) }
guard let first = paths.first, let last = paths.last else { fatalError("usage: DiffImages A B") }
let (a, b) = (try HandoverImage.open(first), try HandoverImage.open(last))
let diff = HandoverDiff(try .init(a), try .init(b))
let sums = diff.forEachEntryRun { side, run in
  print(side == .a ? "-" : "+", run.address, run.byteCount)
}
print(
  sums.common.byteCount, "bytes in both,", sums.onlyA.byteCount, "and", sums.onlyB.byteCount,
  "in one")
for blob in diff.blobs { print("blob", blob.name, "differs") }
for record in diff.records { print(record.title, "differs") }
for account in diff.b.survey.owners(in: b.memory).accounts {
  print(account.byteCount, account.owner.map { "\($0)" } ?? "no owner")
}
