//! What this process has in memory, and how often the kernel had to give it a page.

use std::fs;

/// Resident memory, its peak, and page faults, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes in memory now.
    pub resident_bytes: u64,
    /// The most since [`reset_peak`], or since the start where the kernel refuses to reset.
    pub peak_bytes: u64,
    /// Page faults of all threads since the start.
    pub page_faults: u64,
}

/// Reads all three.
#[must_use]
pub fn usage() -> Usage {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    parse(&status, &stat)
}

/// Begins a new peak at what is resident now.
pub fn reset_peak() {
    // Refused in some containers; the peak is then that of the process, which is never too low.
    drop(fs::write("/proc/self/clear_refs", "5"));
}

fn parse(status: &str, stat: &str) -> Usage {
    // The name of the program, in parentheses, may contain spaces.
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after_name.split(' ').collect();
    // `minflt` and `majflt` are the fields 10 and 12 of the line; two stand before the state.
    let count = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    Usage {
        resident_bytes: kib_field(status, "VmRSS").unwrap_or(0),
        peak_bytes: kib_field(status, "VmHWM").unwrap_or(0),
        page_faults: count(7) + count(9),
    }
}

/// The bytes of a line `name:   123 kB`.
pub(crate) fn kib_field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let value = line.strip_prefix(name)?.strip_prefix(':')?;
        Some(value.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_from_the_kernels_text_whatever_the_program_is_called() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t     512 kB\n";
        let stat = "17 (a) b) S 1 17 17 0 -1 4194304 120 0 3 0 5 6 0 0\n";

        let usage = parse(status, stat);

        let expected = Usage { resident_bytes: 512 << 10, peak_bytes: 2 << 20, page_faults: 123 };
        assert_eq!(usage, expected);
    }

    #[test]
    fn touching_pages_shows_in_all_three() {
        let before = usage();
        let block = vec![1_u8; 32 << 20];
        let after = usage();
        drop(block);

        assert!(after.resident_bytes >= before.resident_bytes + (30 << 20), "{before:?} {after:?}");
        assert!(after.peak_bytes >= after.resident_bytes, "{after:?}");
        assert!(after.page_faults > before.page_faults, "{before:?} {after:?}");
    }
}
