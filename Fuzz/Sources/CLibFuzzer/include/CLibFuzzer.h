#pragma once
#include <stddef.h>
#include <stdint.h>

/// Runs `test` over inputs of libFuzzer's making, as the arguments say; gives the exit status.
///
/// Source: compiler-rt/include/fuzzer/FuzzerInterface.h.
int LLVMFuzzerRunDriver(
    int *_Nonnull count, char *_Nullable *_Nonnull *_Nonnull arguments,
    int (*_Nonnull test)(const uint8_t *_Nullable start, size_t count));
