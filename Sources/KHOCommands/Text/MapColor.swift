/// The colours of a map: bright enough for a dark page, dark enough for a white one.
enum MapColor {
  /// By order; the last colour is also that of all higher orders.
  static let orders = [
    "#4c78db", "#4492dd", "#3aabd0", "#35bfb3", "#46cb8c", "#74d166", "#a6d04a", "#d2c840",
    "#edb33c", "#f5953b", "#f0733d", "#df4f4a", "#c2375f",
  ]
  static let node = "#c65bd6"
  static let deviceTree = "#8e6be8"
  static let scratch = "#8a97a6"

  static func order(_ order: Int) -> String { orders[min(order, orders.count - 1)] }

  /// The character for an order in a picture of characters, one a cell: its digit or letter.
  static func symbol(_ order: Int) -> Character { Character(String(min(order, 35), radix: 36)) }

  /// The same in the 256 colours of terminals.
  static func terminalBackground(_ order: Int) -> Int {
    let colors = [62, 68, 74, 73, 78, 113, 149, 185, 215, 209, 203, 167, 161]
    return colors[min(order, colors.count - 1)]
  }

  static let terminalNode = 170
  static let terminalDeviceTree = 98
  static let terminalScratch = 246
}
