//! Bytes and counts as JavaScript numbers, and for people.

/// As a number; exact up to 2^53, which no memory or file reaches.
#[expect(clippy::cast_precision_loss, reason = "bytes and counts stay below 2^53")]
pub fn from_u64(count: u64) -> f64 {
    count as f64
}

/// As [`from_u64`]; user space of the targets ends below 2^53 too.
#[expect(clippy::cast_precision_loss, reason = "lengths and addresses stay below 2^53")]
pub fn from_usize(count: usize) -> f64 {
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

/// A count as a wider number.
pub fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A length in bytes; TypeScript has checked that it is an integer and not negative.
pub fn bytes(bytes: f64) -> usize {
    usize::try_from(byte_limit(bytes)).unwrap_or(usize::MAX)
}

/// A size as people read it, with one decimal.
pub fn size_text(bytes: u64) -> String {
    let bytes = from_u64(bytes);
    let units = [("GiB", f64::from(1 << 30)), ("MiB", f64::from(1 << 20))];
    let fits = units.into_iter().find(|&(_, unit_bytes)| bytes >= unit_bytes);
    let (unit, unit_bytes) = fits.unwrap_or(("KiB", f64::from(1 << 10)));
    format!("{:.1} {unit}", bytes / unit_bytes)
}
