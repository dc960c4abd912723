//! How a caller watches and stops a long operation.

/// Watches a long operation. Methods are called from any thread of the pool, every few
/// milliseconds, and should return at once.
///
/// `()` watches nothing and never stops.
pub trait Observer: Sync {
    /// Whether the operation should stop; it then returns [`Error::Cancelled`](crate::Error).
    fn is_cancelled(&self) -> bool {
        false
    }

    /// `done` of `total` steps of `phase` are finished. Calls may arrive out of order.
    fn progress(&self, phase: &'static str, done: u64, total: u64) {
        let _ = (phase, done, total);
    }
}

impl Observer for () {}
