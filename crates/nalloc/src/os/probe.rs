//! What the kernel tells in files: limits and pressure of the process's control group, version 1 or
//! 2, and whether it gives huge pages. Read without allocating.

use core::ffi::CStr;

use super::{Errno, Os, Run};
use crate::units::wide;

/// Longest path and longest file that is read.
const BUFFER_BYTES: usize = 4096;
/// Levels of the hierarchy that are looked at, from the process's group upwards.
const LEVELS_MAX: usize = 64;

/// A control group that the process is in.
#[derive(Clone, Copy)]
enum Group<'a> {
    /// Of version 1, with the memory controller.
    Memory(&'a [u8]),
    /// Of version 2.
    Unified(&'a [u8]),
}

/// The groups named in the text of `/proc/self/cgroup`.
fn groups(text: &[u8]) -> impl Iterator<Item = Group<'_>> {
    text.split(|&byte| byte == b'\n').filter_map(|line| {
        // A line is `number:controllers:path`; version 2 has the number 0 and no controllers.
        let mut fields = line.splitn(3, |&byte| byte == b':');
        let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let path = path.strip_suffix(b"/").unwrap_or(path);
        if number == b"0" && controllers.is_empty() {
            Some(Group::Unified(path))
        } else if controllers.split(|&byte| byte == b',').any(|name| name == b"memory") {
            Some(Group::Memory(path))
        } else {
            None
        }
    })
}

/// The text of `/proc/self/cgroup`, or nothing.
fn groups_text<'a, O: Os>(os: &O, buffer: &'a mut [u8; BUFFER_BYTES]) -> &'a [u8] {
    let length = os.read(c"/proc/self/cgroup", buffer).unwrap_or(0);
    &buffer[..length.min(BUFFER_BYTES)]
}

/// The smallest memory limit of the process's control group and those above it, in bytes, the one
/// from which on the kernel slows a group down (`memory.high`) included; `u64::MAX` when there is
/// none, or none can be read.
pub(crate) fn cgroup_limit_bytes<O: Os>(os: &O) -> u64 {
    let mut buffer = [0; BUFFER_BYTES];
    let limits = groups(groups_text(os, &mut buffer)).map(|group| match group {
        Group::Memory(path) => {
            limit_up_from(os, b"/sys/fs/cgroup/memory", path, b"/memory.limit_in_bytes")
        }
        Group::Unified(path) => {
            let limit = |file| limit_up_from(os, b"/sys/fs/cgroup", path, file);
            limit(b"/memory.max").min(limit(b"/memory.high"))
        }
    });
    limits.min().unwrap_or(u64::MAX)
}

/// The smallest number in `file` in the folder `path` below `root` and in those above it.
fn limit_up_from<O: Os>(os: &O, root: &[u8], path: &[u8], file: &[u8]) -> u64 {
    let mut limit = u64::MAX;
    let mut path = path;
    for _ in 0..LEVELS_MAX {
        let mut text = [0; 32];
        let number = text_of(os, &[root, path, file], &mut text);
        let number = number.and_then(|text| text.trim_end().parse().ok());
        limit = limit.min(number.unwrap_or(u64::MAX));
        let Some(slash) = path.iter().rposition(|&byte| byte == b'/') else { break };
        path = &path[..slash];
    }
    limit
}

/// The first bytes of the file whose path is the `parts` in a row.
fn text_of<'a, O: Os>(os: &O, parts: &[&[u8]], buffer: &'a mut [u8]) -> Option<&'a str> {
    let mut path = [0; BUFFER_BYTES];
    let mut end = 0;
    for part in parts {
        path.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    let path = CStr::from_bytes_until_nul(&path).ok()?;
    let length = os.read(path, buffer).ok()?;
    str::from_utf8(buffer.get(..length)?).ok()
}

/// Microseconds for which some task of the process's control group, or else of the machine, waited
/// for memory since the start of time; None where the kernel keeps no such account.
pub(crate) fn stalled_us<O: Os>(os: &O) -> Option<u64> {
    let mut buffer = [0; BUFFER_BYTES];
    let (mut in_group, mut anywhere) = ([0; 256], [0; 256]);
    let group = groups(groups_text(os, &mut buffer)).find_map(|group| match group {
        Group::Unified(path) => Some(path),
        Group::Memory(_) => None,
    });
    let group = group.and_then(|path| {
        text_of(os, &[b"/sys/fs/cgroup", path, b"/memory.pressure"], &mut in_group)
    });
    let text = group.or_else(|| text_of(os, &[b"/proc/pressure/memory"], &mut anywhere))?;
    let some = text.lines().find(|line| line.starts_with("some "))?;
    some.split(' ').find_map(|field| field.strip_prefix("total="))?.parse().ok()
}

/// Resident bytes of this process.
pub(crate) fn resident_bytes<O: Os>(os: &O) -> Result<u64, Errno> {
    let mut buffer = [0; 256];
    let length = os.read(c"/proc/self/statm", &mut buffer)?;
    let text = buffer.get(..length).and_then(|text| str::from_utf8(text).ok());
    let pages = text.and_then(|text| text.split(' ').nth(1)).and_then(|pages| pages.parse().ok());
    let pages: u64 = pages.ok_or(Errno(libc::EINVAL))?;
    Ok(pages * wide(os.page_bytes()))
}

/// Whether the system never gives huge pages.
pub(crate) fn has_no_huge_pages<O: Os>(os: &O) -> bool {
    let mut buffer = [0; 128];
    let path: &[u8] = b"/sys/kernel/mm/transparent_hugepage/enabled";
    text_of(os, &[path], &mut buffer).is_some_and(|text| text.contains("[never]"))
}

/// Bytes of huge pages in those of the process's mappings that lie within `range`.
pub(crate) fn huge_bytes<O: Os>(os: &O, range: Run) -> Option<u64> {
    let (mut is_inside, mut total) = (false, 0);
    let read = each_line::<_, 256>(os, c"/proc/self/smaps", &mut |text| {
        if let Some(bounds) = bounds_of(text) {
            let end = range.address() + range.bytes;
            is_inside = range.address() <= bounds.0 && bounds.1 <= end;
        } else if is_inside && let Some(rest) = text.strip_prefix("AnonHugePages:") {
            let kib = rest.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
            total += kib << 10;
        }
    });
    read.ok().map(|()| total)
}

/// The path of the file that this code was loaded from is in `buffer`; how long it is, 0 where
/// nobody knows. The loader would say, but its lock may be held by who waits for the caller.
pub(crate) fn object<O: Os>(os: &O, buffer: &mut [u8]) -> usize {
    let here: fn(&str) -> Option<(usize, usize)> = bounds_of;
    let here = (here as *const ()).addr();
    let mut length = 0;
    let read = each_line::<_, 1152>(os, c"/proc/self/maps", &mut |text| {
        let is_here = bounds_of(text).is_some_and(|(start, end)| (start..end).contains(&here));
        if let (true, Some(at)) = (is_here, text.find('/')) {
            let path = &text.as_bytes()[at..];
            length = path.len().min(buffer.len());
            buffer[..length].copy_from_slice(&path[..length]);
        }
    });
    read.map_or(0, |()| length)
}

/// Calls `each` with the first `LEN` bytes of each line of a file that are text.
fn each_line<O: Os, const LEN: usize>(
    os: &O,
    path: &CStr,
    each: &mut dyn FnMut(&str),
) -> Result<(), Errno> {
    let mut line = [0u8; LEN];
    let mut used = 0;
    let mut buffer = [0; BUFFER_BYTES];
    os.read_parts(path, &mut buffer, &mut |part| {
        for &byte in part {
            if byte == b'\n' {
                each(str::from_utf8(&line[..used]).unwrap_or(""));
                used = 0;
            } else if let Some(place) = line.get_mut(used) {
                (*place, used) = (byte, used + 1);
            }
        }
    })
}

/// The bounds of a mapping, when the line is the first one about it.
fn bounds_of(line: &str) -> Option<(usize, usize)> {
    let (bounds, _) = line.split_once(' ')?;
    let (start, end) = bounds.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some((address(start)?, address(end)?))
}
