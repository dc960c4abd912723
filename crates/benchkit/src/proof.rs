//! Which allocator serves this process, by what the allocators themselves say.
//!
//! A block is taken, and every allocator that is compiled in is asked whether it came from it: by
//! counters that must move with the block, or by its address. Exactly one must say yes. A benchmark
//! that believes its own feature flags can measure one allocator under two names.

use core::hint::black_box;
use std::fs;

use crate::allocator::{Allocator, phase};

/// Larger than what any of them takes from a cache of small blocks.
const PROBE_BYTES: usize = 1 << 20;
/// More than the heap of a process that has just started has free.
const GROWTH_BYTES: usize = 8 << 20;
/// What the effective settings are seen on: above every threshold of a stock allocator.
const SETTINGS_BYTES: usize = 64 << 20;

/// The allocator that serves this process.
///
/// # Errors
/// When none or more than one says that it does.
pub fn serving() -> Result<Allocator, String> {
    phase(serving_in_phase)
}

fn serving_in_phase() -> Result<Allocator, String> {
    let before: Vec<u64> = Allocator::ALL.iter().map(|&one| counted_bytes(one)).collect();
    let block: Vec<u8> = black_box(Vec::with_capacity(PROBE_BYTES));
    #[cfg(feature = "mimalloc")]
    let is_in_mimalloc = is_in_mimalloc(block.as_ptr());
    #[cfg(feature = "zk-alloc")]
    let is_in_zk_alloc =
        zk_alloc::slab_size() > 0 && is_in_mapping_of(block.as_ptr(), zk_alloc::slab_size());
    let serves = |one: Allocator, before: u64| match one {
        #[cfg(feature = "mimalloc")]
        Allocator::Mimalloc => is_in_mimalloc,
        #[cfg(feature = "zk-alloc")]
        Allocator::ZkAlloc => is_in_zk_alloc,
        // A block of another allocator moves this counter by far less.
        _ => counted_bytes(one).saturating_sub(before) >= PROBE_BYTES as u64 / 2,
    };
    let serving: Vec<Allocator> = Allocator::ALL
        .iter()
        .zip(before)
        .filter_map(|(&one, before)| serves(one, before).then_some(one))
        .collect();
    drop(block);
    match serving[..] {
        [one] => Ok(one),
        _ => Err(format!("expected one allocator to serve a block, got {serving:?}")),
    }
}

/// Bytes that an allocator handed out so far or has handed out now; 0 where its addresses tell.
fn counted_bytes(allocator: Allocator) -> u64 {
    match allocator {
        Allocator::Glibc => glibc::live_bytes(),
        #[cfg(feature = "jemalloc")]
        Allocator::Jemalloc => {
            use tikv_jemalloc_ctl::thread::{ThreadLocal, allocatedp};
            allocatedp::read().map_or(0, ThreadLocal::get)
        }
        #[cfg(feature = "mimalloc")]
        Allocator::Mimalloc => 0,
        #[cfg(feature = "zk-alloc")]
        Allocator::ZkAlloc => 0,
        Allocator::Nalloc => nalloc::stats().live_bytes,
    }
}

#[cfg(feature = "mimalloc")]
fn is_in_mimalloc(block: *const u8) -> bool {
    // SAFETY: any address may be asked about.
    unsafe { libmimalloc_sys::mi_is_in_heap_region(block.cast()) }
}

/// Whether an address lies in a mapping of at least so many bytes.
#[cfg(feature = "zk-alloc")]
fn is_in_mapping_of(address: *const u8, bytes_min: usize) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().any(|line| {
        let ends = line.split(' ').next().and_then(|range| range.split_once('-'));
        let Some((start, end)) = ends else { return false };
        let parsed = |text| usize::from_str_radix(text, 16).unwrap_or(0);
        let (start, end) = (parsed(start), parsed(end));
        (start..end).contains(&address.addr()) && end - start >= bytes_min
    })
}

/// Whether the heap of the C library grows onto huge pages.
///
/// Asks by a block that makes the heap grow, of which nothing is written.
#[must_use]
pub fn is_heap_advised() -> bool {
    drop(black_box(Vec::<u8>::with_capacity(GROWTH_BYTES)));
    let maps = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    advises_heap(&maps)
}

/// Whether any part of the heap carries the flag `hg`.
fn advises_heap(maps: &str) -> bool {
    let mut is_heap = false;
    maps.lines().any(|line| {
        match line.strip_prefix("VmFlags:") {
            Some(flags) => return is_heap && flags.split(' ').any(|flag| flag == "hg"),
            // A line that begins a mapping has addresses in front, the others a name and a colon.
            None if line.split(' ').next().is_some_and(|word| word.ends_with(':')) => {}
            None => is_heap = line.ends_with("[heap]"),
        }
        false
    })
}

/// What serves this process and with which settings, as it says itself or as a block shows it.
#[must_use]
pub fn effective_settings(allocator: Allocator) -> String {
    let (huge_before, mapped_before) = (huge_page_bytes(), glibc::mapped_bytes());
    let (huge, is_mapped) = phase(|| {
        let block = black_box(vec![1_u8; SETTINGS_BYTES]);
        let seen = (huge_page_bytes(), glibc::mapped_bytes() > mapped_before);
        drop(block);
        seen
    });
    let huge = huge.saturating_sub(huge_before).min(SETTINGS_BYTES as u64);
    let own = match allocator {
        Allocator::Glibc => {
            let place = if is_mapped { "mapped on its own" } else { "from the heap" };
            format!("glibc {}; 64 MiB {place}", glibc::version())
        }
        #[cfg(feature = "jemalloc")]
        Allocator::Jemalloc => jemalloc_settings(),
        #[cfg(feature = "mimalloc")]
        Allocator::Mimalloc => mimalloc_settings(),
        #[cfg(feature = "zk-alloc")]
        Allocator::ZkAlloc => format!(
            "zk-alloc 0.0.9; slabs of {} GiB from {} bytes on, else glibc",
            zk_alloc::slab_size() >> 30,
            zk_alloc::min_arena_bytes(),
        ),
        Allocator::Nalloc => {
            let limit = nalloc::stats().cache_limit_bytes;
            format!("nalloc {}; idle cache limit {} MiB", env!("CARGO_PKG_VERSION"), limit >> 20)
        }
    };
    format!("{own}; {} of {} MiB on huge pages", huge >> 20, SETTINGS_BYTES >> 20)
}

#[cfg(feature = "jemalloc")]
fn jemalloc_settings() -> String {
    use tikv_jemalloc_ctl::raw;
    // SAFETY: both options are of type `ssize_t`, as jemalloc's manual says.
    let decay_ms = |name: &[u8]| unsafe { raw::read::<isize>(name) }.unwrap_or(isize::MIN);
    // SAFETY: both names are of strings that live as long as the process.
    let text = |name: &[u8]| unsafe { raw::read_str(name) }.unwrap_or(b"unknown");
    let plain = |name: &[u8]| String::from_utf8_lossy(text(name)).trim_end_matches('\0').to_owned();
    let version = plain(b"version\0");
    format!(
        "jemalloc {}; dirty_decay_ms:{} muzzy_decay_ms:{} thp:{}",
        version.split('-').next().unwrap_or_default(),
        decay_ms(b"opt.dirty_decay_ms\0"),
        decay_ms(b"opt.muzzy_decay_ms\0"),
        plain(b"opt.thp\0"),
    )
}

#[cfg(feature = "mimalloc")]
fn mimalloc_settings() -> String {
    // `mi_option_purge_delay` of mimalloc 3, which the crate does not name.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: the call has no conditions.
    let version = unsafe { libmimalloc_sys::mi_version() };
    // SAFETY: the option exists.
    let purge_delay = unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
    // mimalloc 3 writes its version as two digits each of minor and patch.
    let (major, minor, patch) = (version / 10_000, version / 100 % 100, version % 100);
    format!("mimalloc {major}.{minor}.{patch}; purge_delay:{purge_delay}")
}

/// Bytes of this process that lie on huge pages.
fn huge_page_bytes() -> u64 {
    let text = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    crate::usage::kib_field(&text, "AnonHugePages").unwrap_or(0)
}

#[cfg(target_env = "gnu")]
mod glibc {
    use core::ffi::CStr;

    /// Bytes in blocks of the heap and in blocks with a mapping of their own.
    pub fn live_bytes() -> u64 {
        // SAFETY: the call has no conditions.
        let info = unsafe { libc::mallinfo2() };
        (info.uordblks + info.hblkhd) as u64
    }

    /// Bytes in blocks with a mapping of their own.
    pub fn mapped_bytes() -> u64 {
        // SAFETY: the call has no conditions.
        unsafe { libc::mallinfo2() }.hblkhd as u64
    }

    pub fn version() -> String {
        // SAFETY: the call has no conditions.
        let version = unsafe { libc::gnu_get_libc_version() };
        // SAFETY: what it returns is a string that lives as long as the process.
        unsafe { CStr::from_ptr(version) }.to_string_lossy().into_owned()
    }
}

/// Another C library proves nothing: its processes are refused.
#[cfg(not(target_env = "gnu"))]
mod glibc {
    pub fn live_bytes() -> u64 {
        0
    }

    pub fn mapped_bytes() -> u64 {
        0
    }

    pub fn version() -> String {
        "absent".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_of_the_heap_say_whether_it_is_advised() {
        let maps = |flags: &str| {
            format!(
                "1-2 rw-p 0 0:0 0\nVmFlags: hg \n2-3 rw-p 0 0:0 0   [heap]\nRss: 1 kB\nTHPeligible:  1\nVmFlags: {flags}\n"
            )
        };
        assert!(advises_heap(&maps("rd wr ac hg ")));
        assert!(!advises_heap(&maps("rd wr ac ")));
        let second = maps("rd ") + "3-4 rw-p 0 0:0 0   [heap]\nRss: 2 kB\nVmFlags: hg \n";
        assert!(advises_heap(&second));
        let other = maps("rd ") + "3-4 rw-p 0 0:0 0\nRss: 2 kB\nVmFlags: hg \n";
        assert!(!advises_heap(&other));
        assert!(!advises_heap("1-2 rw-p 0 0:0 0\nVmFlags: hg \n"));
    }

    #[test]
    fn a_test_is_served_by_glibc() {
        assert_eq!(serving(), Ok(Allocator::Glibc));
    }
}
