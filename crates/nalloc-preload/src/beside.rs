//! What the addon asks for when both are in one process: there are two heaps then, and whoever asks
//! how much memory nalloc has means both. The addon finds these functions by their names; what they
//! promise does not change, and figures are only ever added at the end.

use core::{slice, str};

use nalloc::Phase;

/// Writes figures of this heap to the first of `count` places, and answers how many there are in
/// all: live, peak live, cached, softened, mapped and metadata bytes, hits, misses, evictions,
/// fallbacks.
///
/// # Safety
/// There are `count` places from `to` on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nalloc_preload_figures(to: *mut u64, count: usize) -> usize {
    let stats = nalloc::stats();
    let figures = [
        stats.live_bytes,
        stats.peak_live_bytes,
        stats.cached_bytes,
        stats.softened_bytes,
        stats.mapped_bytes,
        stats.metadata_bytes,
        stats.hits,
        stats.misses,
        stats.evictions,
        stats.fallbacks,
    ];
    let written = count.min(figures.len());
    // SAFETY: the caller's promise.
    let places = unsafe { slice::from_raw_parts_mut(to, written) };
    places.copy_from_slice(&figures[..written]);
    figures.len()
}

/// Begins a new peak at what is live now.
#[unsafe(no_mangle)]
pub extern "C" fn nalloc_preload_reset_peak() {
    nalloc::reset_peak();
}

/// Lets the kernel take every cached page; how many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn nalloc_preload_soften() -> u64 {
    nalloc::soften_cache()
}

/// Gives every cached page back to the kernel; how many bytes.
#[unsafe(no_mangle)]
pub extern "C" fn nalloc_preload_release() -> u64 {
    nalloc::release_cache()
}

/// Begins a phase under this name; the answer ends it.
///
/// # Safety
/// `name` points to `bytes` bytes of UTF-8 that stay as they are for as long as the process lives.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nalloc_preload_begin_phase(name: *const u8, bytes: usize) -> usize {
    // SAFETY: the caller's promise.
    let name = unsafe { slice::from_raw_parts(name, bytes) };
    // SAFETY: as above.
    nalloc::phase(unsafe { str::from_utf8_unchecked(name) }).into_number()
}

/// Ends a phase, by what `nalloc_preload_begin_phase` answered; once.
#[unsafe(no_mangle)]
pub extern "C" fn nalloc_preload_end_phase(number: usize) {
    drop(Phase::from_number(number));
}

/// The most bytes that were live while a phase of this name was open; 0 for a name that had none.
///
/// # Safety
/// `name` points to `bytes` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nalloc_preload_phase_peak(name: *const u8, bytes: usize) -> u64 {
    // SAFETY: the caller's promise.
    let name = unsafe { slice::from_raw_parts(name, bytes) };
    let stats = nalloc::stats();
    let found = stats.phases.iter().find(|phase| phase.name.as_bytes() == name);
    found.map_or(0, |phase| phase.peak_live_bytes)
}
