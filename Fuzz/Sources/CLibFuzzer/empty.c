// The functions are libFuzzer's own.
