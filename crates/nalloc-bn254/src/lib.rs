//! BN254 field, curves, NTT and MSM on nalloc's memory.
