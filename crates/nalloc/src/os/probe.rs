//! The memory limit of the process's control group, version 1 or 2, read without allocating.

use core::ffi::CStr;

use super::Os;

/// Longest path and longest file that is read.
const BUFFER_BYTES: usize = 4096;
/// Levels of the hierarchy that are looked at, from the process's group upwards.
const LEVELS_MAX: usize = 64;

/// The smallest memory limit of the process's control group and those above it, in bytes;
/// `u64::MAX` when there is none, or none can be read.
pub(crate) fn cgroup_limit_bytes<O: Os>(os: &O) -> u64 {
    let mut groups = [0; BUFFER_BYTES];
    let Ok(length) = os.read(c"/proc/self/cgroup", &mut groups) else { return u64::MAX };
    let mut limit = u64::MAX;
    for line in groups[..length.min(BUFFER_BYTES)].split(|&byte| byte == b'\n') {
        // A line is `number:controllers:path`; version 2 has the number 0 and no controllers.
        let mut fields = line.splitn(3, |&byte| byte == b':');
        let (Some(number), Some(controllers), Some(path)) =
            (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let (root, file): (&[u8], &[u8]) = if number == b"0" && controllers.is_empty() {
            (b"/sys/fs/cgroup", b"/memory.max")
        } else if controllers.split(|&byte| byte == b',').any(|name| name == b"memory") {
            (b"/sys/fs/cgroup/memory", b"/memory.limit_in_bytes")
        } else {
            continue;
        };
        limit = limit.min(limit_up_from(os, root, path, file));
    }
    limit
}

/// The smallest number in `file` in the folder `path` below `root` and in those above it.
fn limit_up_from<O: Os>(os: &O, root: &[u8], path: &[u8], file: &[u8]) -> u64 {
    let mut limit = u64::MAX;
    let mut path = path.strip_suffix(b"/").unwrap_or(path);
    for _ in 0..LEVELS_MAX {
        limit = limit.min(number_in(os, &[root, path, file]).unwrap_or(u64::MAX));
        let Some(slash) = path.iter().rposition(|&byte| byte == b'/') else { break };
        path = &path[..slash];
    }
    limit
}

/// The decimal number in the file whose path is the `parts` in a row; None for `max`.
fn number_in<O: Os>(os: &O, parts: &[&[u8]]) -> Option<u64> {
    let mut path = [0; BUFFER_BYTES];
    let mut end = 0;
    for part in parts {
        path.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    let path = CStr::from_bytes_until_nul(&path).ok()?;

    let mut text = [0; 32];
    let length = os.read(path, &mut text).ok()?;
    str::from_utf8(text.get(..length)?).ok()?.trim_end().parse().ok()
}
