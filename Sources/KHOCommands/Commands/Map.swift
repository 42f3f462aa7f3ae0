internal import ArgumentParser
internal import KexecHandover
internal import Platform

/// `kho map`: the picture.
struct Map: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "map",
    abstract: "Draws where in physical memory a handover is.",
    discussion: """
      Without --svg and --html, `map` prints characters that fit the window: a digit or letter is the most \
      frequent order in that part of memory, # a node of the tree, D the root device tree, · memory that is not \
      preserved; * replaces empty rows. On a terminal it uses colour, unless NO_COLOR is set.

      --html writes one page that needs no network and no other file: a Hilbert curve or rows, to \
      zoom and to point at, tables by order, and the owners as a treemap. With more than \
      65,536 runs of preserved memory, the page draws adjacent runs as one, and notes it. \
      --svg writes a picture for documents.

      The picture shows everything from the first to the last byte of the handover; --range chooses a part. \
      Scratch areas are drawn where the image names them, or --scratch gives them. Of several handovers, the \
      first that can be read is drawn.

      Examples:
        kho map vmcore
        kho map --html map.html --svg map.svg vmcore
        kho map --range 1G-2G --scratch 0xda800000-0x100000000 vmcore

      \(ExitStatus.help)
      """)

  @OptionGroup var options: ImageOptions

  @Option(
    help: ArgumentHelp("Write a page of HTML to FILE.", valueName: "file"), completion: .file())
  var html: String?

  @Option(help: ArgumentHelp("Write a picture to FILE.", valueName: "file"), completion: .file())
  var svg: String?

  @OptionGroup var forced: ForceOption

  @Option(help: ArgumentHelp("The width of the picture in characters.", valueName: "n"))
  var width: Int?

  @Option(help: ArgumentHelp("The height of the picture in lines.", valueName: "n"))
  var height: Int?

  @Option(
    name: .customLong("range"),
    help: ArgumentHelp("Only memory from A up to but not including B.", valueName: "a-b"))
  var addresses: AddressFilter?

  @Option(
    help: ArgumentHelp(
      "A scratch area, from A up to but not including B; can be repeated.",
      valueName: "a-b"))
  var scratch: [AddressFilter] = []

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if let svg, svg == html { throw ValidationError("--svg and --html name the same file.") }
    if let width, !(20...2000).contains(width) {
      throw ValidationError("--width is a number from 20 to 2000.")
    }
    if let height, !(8...2000).contains(height) {
      throw ValidationError("--height is a number from 8 to 2000.")
    }
    if scratch.count > ScratchArea.limit {
      throw ValidationError("--scratch can be given at most \(ScratchArea.limit) times.")
    }
  }

  func run() throws {
    let image = try options.load()
    let survey = try image.firstReadable(choosingWith: "--fdt-address")
    let subject: MapSubject
    do throws(HandoverImageError) {
      subject = try MapSubject(
        survey, of: image, range: addresses?.range,
        scratch: scratch.isEmpty ? image.scratch : scratch.map(\.range))
    } catch {
      throw CommandFailure.badInput("\(image.name): \(error.sentence), so there is nothing to draw")
    }
    let rules = OutputRules(isForced: forced.force, reading: options.inputs)
    if let svg { try OutputFile.write(MapSVG(subject).bytes, to: svg, rules) }
    if let html { try OutputFile.write(MapHTML(subject).bytes, to: html, rules) }
    let window = Console.current.window
    if json {
      let cellLimit = max(2, (width ?? 64) * (height ?? 64))
      Console.current.printJSON(JSONDocument.map(subject, subject.grid(cellLimit: cellLimit)))
    } else if svg == nil, html == nil {
      let text = MapText(
        subject, width: width ?? window?.width ?? 100, height: height ?? window?.height ?? 40,
        isColored: Console.current.isColored)
      for line in text.lines { Console.current.print(line) }
    }
    try image.requireUndamaged()
  }
}
