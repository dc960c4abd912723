//! The heap of this process.

use crate::heap::Heap;
use crate::os::linux::Linux;

/// Blocks of this many bytes or more come from the large heap.
pub(crate) const LARGE: usize = 64 << 10;

/// The heap of this process; in an addon, of that addon's copy of this crate.
pub(crate) static HEAP: Heap<Linux> = Heap::new(Linux);
