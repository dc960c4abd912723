//! What the kernel says about the memory of this process.

use std::fs;

/// A mapping, as `/proc/self/smaps` shows it.
#[derive(Debug, Default)]
pub struct Mapping {
    /// Such as `rw-p`.
    pub access: String,
    /// The value of `VmFlags`, with a space on both sides of each.
    pub flags: String,
    /// The value of `Locked`, in KiB.
    pub locked_kib: u64,
}

/// The mapping that holds `address`; empty when there is none.
pub fn mapping_of(address: usize) -> Mapping {
    let maps = fs::read_to_string("/proc/self/smaps").expect("smaps");
    let mut found = None;
    for line in maps.lines() {
        let range = line.split_once(' ').and_then(|(range, _)| range.split_once('-'));
        if let Some((from, to)) = range {
            let hex = |text| usize::from_str_radix(text, 16);
            if let (Ok(from), Ok(to)) = (hex(from), hex(to)) {
                let access = line.split(' ').nth(1).unwrap_or_default().to_owned();
                found =
                    (from..to).contains(&address).then(|| Mapping { access, ..Mapping::default() });
            }
        }
        let Some(mapping) = &mut found else { continue };
        if let Some(value) = line.strip_prefix("Locked:") {
            let kib = value.trim().trim_end_matches(" kB").parse();
            mapping.locked_kib = kib.expect("a number of KiB");
        }
        if let Some(flags) = line.strip_prefix("VmFlags:") {
            mapping.flags = flags.to_owned() + " ";
            return found.unwrap_or_default();
        }
    }
    Mapping::default()
}
