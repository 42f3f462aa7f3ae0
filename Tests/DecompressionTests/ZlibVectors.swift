import Foundation
import HandoverTestSupport

/// What zlib 1.2.13 makes of ``content``, at level 9.
enum ZlibVectors {
  /// 4 KiB of words and single bytes that SplitMix64 chooses.
  static let content: [UInt8] = {
    var random = SeededGenerator(seed: 7)
    let words: [[UInt8]] = [
      Array("page ".utf8), Array("frame ".utf8), Array("order ".utf8),
      [UInt8](repeating: 0, count: 8),
    ]
    var bytes: [UInt8] = []
    while bytes.count < 4096 {
      let number = random.next()
      bytes +=
        number % 5 != 0 ? words[Int(number % 4)] : [UInt8(truncatingIfNeeded: number >> 8)]
    }
    return Array(bytes.prefix(4096))
  }()

  static let dynamic = decoded(
    """
    eNqNV01I1FEQ/wfhoVMllhDCHsIg8lbWqYSiIjHYFA9FieAqRKJsbBImnWRPfeBnUdChIPS0KBJ1SQwqREIhQrCLut6C
    DJawQgje9HDmzW+e/Q+zb96b75k38zZJ6Otu7cikurJtmWzq305C2Dj9EOxoTDj9pIMV/UnwtWdbOzOpWokSfPjptdRS
    f9AJ2WAGEKXQJLek4BZHcYF46/zZNOFMbCf3JBSFXNfwYkYags3iHETBfGBLZqED/2NTpURJ0GP6qeKBLkhCFgcQ0GZl
    1SS2k5Yf3PoF9h66MuwXX1kUpIWb50KmmXJHlkNxcCdLOJdC+M5EV/grKSsbxNRRFpih1ZLghFQLHSbuPo+Wy/3GVRJx
    SIU2LaSObRUHuBSzqqKkFhBkafldQaGRz992N+jyDMs2AIAsjzKYGF++GDMZlX9gwH3jovHbEQkUOBp7+Q7bnpfbx9R9
    kef36KcJtw9uX8V4GTTqrF9scmoyUnt5ldvjOQfPh73guj96e4AY5hdBhXPBXNWRWGr8Xq8ZE+l95GZx/QTvuPOj8XJi
    zsaqkLARwbXPaORYAlPU8xQptK4IwTdMwXNPcLOk0uyPhkCdfrfnl0xHDmT2D8/Aac6lxsaTPbA4Uab83l6JatOYkn5J
    W6lSyDZ+me8GwqaC5vDMH6+bkRXI++0yjocPMqio4siU09ku5SoPzsSOSKN6YBboLY8uR55UWxFCpWv2tSI2RmI/oNk1
    XCjBddRCWlSUsE6jmOLdYZTovxDVI5UW3fTMZxXBBY6UVlXVNtntzOy5N5DmZvPFzuFSZMDpgFkT3hy6MtuXtESCVaaD
    pQ2P1umAAHNUggrYK32hab+WWG+f0sMyfEvgF8YcvPxAqdE6Y2+a8BsMB3UaRSdocHQ4cJje6H0/FyV1m19co/3ele2S
    znV+1PUanQT+O2l1HLsWz+B8eIbZ2NBh2o7rRDO718I/Zr/XUOml7QvmuKbsSXAlF6owHhWX94fZLuCKtx+NI3bTRvPI
    fX8Bg+fleA==
    """)

  /// With Z_FIXED: blocks of type 1.
  static let fixed = decoded(
    """
    eAFjYICAgsT0VIX8opTUIgWoCAOEtwpCQcj0YAZk9ZvBpGgrAxpIK0rMTVUwQ+VCyAnndqLa4q0CNuQHkgMgKlFsQhVC
    NTgerMILotcBJncAwkcyNhfZJ+hGYfM6JumXiuoQ7M5C1gFRgeQHJCaSC8EEMW6SQOVCDJoJoWSRA3oDqkKkcMASoGEY
    rtqM3Z0Q5nEwewl232P1ylQY4w5SKKC68K87uqZDwmBlpdjCASxzG3tcohjOwoCZwrejmlWEFqZglRuQHKqGqsAC1Vqs
    HoboroVxhVHFgx9DjFDHCNpAFFNXIhIHlkxxCiNFodqCJZBRXV6PogKTc+WNgC9m8kRPtmgEFmXt2GKQAQdof4LPydiS
    P5oD+nBkNOTcgSegsEitXH4Yu9vbUYVNMfILqnwvhArBXnwgu090FRtWR7nBGH+RVUMcienLWGT3wHRO9kAvC7JgUvul
    IRou3MCSwpENRrZKB1/UwMSqcYYJqu/x5Cxk+yFkDVjeBH9yQvIsvlQI4U1D0SWGoyDHbgKSReVzsFmIK4tAyF1IFiyG
    KSj+ghHNMKkpWNLpe9z1F2p0lGKJ2d/IMeCMrAuj2pgtiDVxYospmJgQKhfTaUiWtKKqlcCIQiSBnzjbDRDeVrTCYT5M
    +gPOkEXhHCMU49grH2wOeoIRjkiWQ+S4MLyKHDibGPEUVP04E2gZjPsQT5MKEULYki7Ocu0Jdseg8j5idbYusqEQ8gO2
    IiQeI5Sw24kjMeEvHaZD1F+DqJqBES2YhR7OZhWEvIjM+fIYI9WG4C7OcJa5OdhsDsPZYkcmb+Op4DADDFcNj7PSRY3t
    IEwTIaQsTg9++QHjOmAGCBbnYETQBuy+wszQEHEziNZKe8zKEr0tgb2FcQZr5sdiKY6iE1+bBh1MRq+oA7GFDloBB5Gc
    pAVpo9d+u4GqOgXGiIOIVz8iFOnIdp7ATK94awIYsMNV4uBOiy7Y4wOm4RS+SgfJNnPMiEZy91P0jtmvp9iSXiDuDAbW
    tRV3TRBdim4FjkZFlDh6bG/AnuJxNxqn4S60sdVHYAAAg+fleA==
    """)

  private static func decoded(_ text: String) -> [UInt8] {
    Array(Data(base64Encoded: text, options: .ignoreUnknownCharacters) ?? Data())
  }
}
