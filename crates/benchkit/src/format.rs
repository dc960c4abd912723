//! Figures as people read them.

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A duration in milliseconds, with three digits that count.
#[must_use]
pub fn ms(value: f64) -> String {
    let decimals = match value {
        _ if value >= 100.0 => 0,
        _ if value >= 10.0 => 1,
        _ if value >= 1.0 => 2,
        _ if value >= 0.1 => 3,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

/// Bytes in whole MiB.
#[must_use]
pub fn mib(bytes: u64) -> String {
    ((bytes + MIB / 2) / MIB).to_string()
}

/// The length of a buffer in the unit that makes it short; MB and KB are powers of two here, as the
/// names of the benchmarks have them.
#[must_use]
pub fn length(bytes: u64) -> String {
    match bytes {
        _ if bytes.is_multiple_of(MIB) => format!("{} MB", bytes / MIB),
        _ if bytes >= MIB => format!("{}.{} MB", bytes / MIB, bytes % MIB * 10 / MIB),
        _ => format!("{} KB", bytes / KIB),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits_that_count() {
        let shown = [0.01234, 0.1234, 1.234, 12.34, 123.4].map(ms);
        assert_eq!(shown, ["0.0123", "0.123", "1.23", "12.3", "123"]);
        assert_eq!([0, MIB / 2, 3 * MIB].map(mib), ["0", "1", "3"]);
        let lengths = [96 * KIB, 3 * MIB / 2, 6 * MIB].map(length);
        assert_eq!(lengths, ["96 KB", "1.5 MB", "6 MB"]);
    }
}
