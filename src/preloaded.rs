//! The heap of `libnalloc_preload.so`, where that library serves this process. It is another one than
//! the addon's, and whoever asks how much memory nalloc has means both.
//!
//! The library is found by the names of its functions, once: it is loaded before anything else, or
//! never. What each name promises stands in `crates/nalloc-preload/src/beside.rs`.

use std::ffi::{CStr, c_void};
use std::mem::transmute;
use std::sync::OnceLock;

type Figures = unsafe extern "C" fn(*mut u64, usize) -> usize;
type Act = extern "C" fn();
type Give = extern "C" fn() -> u64;

struct Library {
    figures: Figures,
    reset_peak: Act,
    soften: Give,
    release: Give,
}

/// Figures of the library's heap, in the order in which it has them; all 0 without it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preloaded {
    pub live_bytes: u64,
    pub peak_live_bytes: u64,
    pub cached_bytes: u64,
    pub softened_bytes: u64,
    pub mapped_bytes: u64,
    pub metadata_bytes: u64,
    pub hits: u64,
    pub misses: u64,
    pub evictions: u64,
    pub fallbacks: u64,
}

fn find(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name ends in NUL.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!address.is_null()).then_some(address)
}

fn library() -> Option<&'static Library> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    let found = LIBRARY.get_or_init(|| {
        Some(Library {
            // SAFETY: the type of the function of that name, in every version.
            figures: unsafe { transmute::<*mut c_void, Figures>(find(c"nalloc_preload_figures")?) },
            // SAFETY: as above.
            reset_peak: unsafe {
                transmute::<*mut c_void, Act>(find(c"nalloc_preload_reset_peak")?)
            },
            // SAFETY: as above.
            soften: unsafe { transmute::<*mut c_void, Give>(find(c"nalloc_preload_soften")?) },
            // SAFETY: as above.
            release: unsafe { transmute::<*mut c_void, Give>(find(c"nalloc_preload_release")?) },
        })
    });
    found.as_ref()
}

impl Preloaded {
    /// The figures as they are now.
    pub fn now() -> Self {
        let mut figures = [0; 10];
        if let Some(library) = library() {
            // SAFETY: there are that many places. An older library leaves those it does not know.
            unsafe { (library.figures)(figures.as_mut_ptr(), figures.len()) };
        }
        let [
            live_bytes,
            peak_live_bytes,
            cached_bytes,
            softened_bytes,
            mapped_bytes,
            metadata_bytes,
            hits,
            misses,
            evictions,
            fallbacks,
        ] = figures;
        Self {
            live_bytes,
            peak_live_bytes,
            cached_bytes,
            softened_bytes,
            mapped_bytes,
            metadata_bytes,
            hits,
            misses,
            evictions,
            fallbacks,
        }
    }
}

/// Begins a new peak of the library's heap.
pub fn reset_peak() {
    if let Some(library) = library() {
        (library.reset_peak)();
    }
}

/// Lets the kernel take what the library's heap has cached; how many bytes.
pub fn soften_cache() -> u64 {
    library().map_or(0, |library| (library.soften)())
}

/// Gives back what the library's heap has cached; how many bytes.
pub fn release_cache() -> u64 {
    library().map_or(0, |library| (library.release)())
}
