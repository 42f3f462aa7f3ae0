import KexecHandover
import SystemPackage

// What differs between two images, and who owns the memory that the second one preserves.
let images = try CommandLine.arguments.dropFirst().map { try HandoverImage.open(FilePath($0)) }
guard images.count == 2 else { fatalError("usage: DiffImages A B") }
let diff = HandoverDiff(try .init(images[0]), try .init(images[1]))
diff.forEachEntryRun { side, run in
  print(side == .a ? "-" : "+", run.address, run.byteCount)
}
for blob in diff.blobs { print("blob", blob.name, "differs") }
for record in diff.records { print(record.title, "differs") }
for account in diff.b.survey.owners(in: images[1].memory).accounts {
  print(account.byteCount, account.owner.map { "\($0)" } ?? "no owner")
}
