internal import KexecHandover

extension DeviceTreeError {
  var sentence: String { "\(self)" }
}
