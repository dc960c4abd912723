//! Memory for secrets.

mod wipe;

pub(crate) use wipe::clear;
pub use wipe::wipe;
