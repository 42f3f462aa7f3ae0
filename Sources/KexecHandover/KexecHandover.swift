@_exported public import DeviceTreeBlob
@_exported public import Handover
@_exported public import HandoverForge
@_exported public import MemoryAccess
@_exported public import MemoryImages
@_exported public import PageAllocation
@_exported public import PreservedPages
@_exported public import ProcessHandover
