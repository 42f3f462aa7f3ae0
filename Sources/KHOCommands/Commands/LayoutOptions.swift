internal import ArgumentParser
internal import KexecHandover

/// The options for what an image does not always record: how large its pages and its bitmaps are.
struct LayoutOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The page size, if it cannot be deduced.", valueName: "size"))
  var pageSize: PageSizeArgument?

  @Option(
    name: .customLong("v1-bitmap"),
    help: ArgumentHelp(
      "The size of kho-v1 bitmaps: a page (Linux 6.18, 6.19) or 512 bytes (6.16, 6.17).",
      valueName: "size"))
  var chunkBitmap: ChunkBitmapArgument?
}

extension LayoutOptions {
  /// The options of an image that these give.
  var imageOptions: HandoverImage.Options {
    var options = HandoverImage.Options()
    options.pageSize = pageSize?.geometry
    if let chunkBitmap { options.chunkBitmapSize = chunkBitmap.size }
    return options
  }
}
