// MemoryImages
