//! Bytes and counts as JavaScript numbers.

/// As a number; exact up to 2^53, which no memory or file reaches.
#[expect(clippy::cast_precision_loss, reason = "bytes and counts stay below 2^53")]
pub fn from_u64(count: u64) -> f64 {
    count as f64
}

/// A limit in bytes; TypeScript has checked that it is a positive integer.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-integer cast saturates, which is what a limit means"
)]
pub fn byte_limit(bytes: f64) -> u64 {
    bytes as u64
}
