//! A memory allocator, arenas and secret buffers for zero-knowledge provers.
