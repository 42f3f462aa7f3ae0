/// The digest of `message`, as hexadecimal digits.
///
/// Source: FIPS 180-4.
func sha256(_ message: [UInt8]) -> String {
  // The first 32 bits of the fractions of the cube and square roots of the first primes.
  func isqrt(_ value: UInt128, _ power: Int) -> UInt128 {
    var low: UInt128 = 0
    var high: UInt128 = 1 << 40
    while low + 1 < high {
      let middle = (low + high) / 2
      let raised = power == 2 ? middle * middle : middle * middle * middle
      if raised <= value { low = middle } else { high = middle }
    }
    return low
  }
  var primes: [UInt128] = []
  var candidate: UInt128 = 2
  while primes.count < 64 {
    if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
    candidate += 1
  }
  let constants = primes.map { UInt32(truncatingIfNeeded: isqrt($0 << 96, 3)) }
  var hash = primes.prefix(8).map { UInt32(truncatingIfNeeded: isqrt($0 << 64, 2)) }

  var padded = message + [0x80]
  padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
  let bitCount = UInt64(message.count) * 8
  for shift in stride(from: 56 as UInt64, through: 0, by: -8) {
    padded.append(UInt8(truncatingIfNeeded: bitCount >> shift))
  }

  func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }
  for block in stride(from: 0, to: padded.count, by: 64) {
    var words = (0..<16).map { index in
      (0..<4).reduce(0 as UInt32) { $0 << 8 | UInt32(padded[block + index * 4 + $1]) }
    }
    for index in 16..<64 {
      let early = words[index - 15]
      let late = words[index - 2]
      let first = rotate(early, 7) ^ rotate(early, 18) ^ early >> 3
      let second = rotate(late, 17) ^ rotate(late, 19) ^ late >> 10
      words.append(words[index - 16] &+ first &+ words[index - 7] &+ second)
    }
    var state = hash
    for index in 0..<64 {
      let (a, b, c, e) = (state[0], state[1], state[2], state[4])
      let sum = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let choice = e & state[5] ^ ~e & state[6]
      let first = state[7] &+ sum &+ choice &+ constants[index] &+ words[index]
      let second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ (a & b ^ a & c ^ b & c)
      state = [first &+ second, a, b, c, state[3] &+ first, e, state[5], state[6]]
    }
    for index in hash.indices { hash[index] &+= state[index] }
  }
  return hash.map { word in
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }.joined()
}
