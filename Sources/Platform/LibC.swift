// The C library, for the whole package: no other file imports it. A program on another C library than
// glibc changes this line.
@_exported public import Glibc
