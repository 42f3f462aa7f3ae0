// DeviceTreeBlob
