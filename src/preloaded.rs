//! The heap of `libnalloc_preload.so`, where that library serves this process. It is another one
//! than the addon's, and whoever asks how much memory nalloc has means both.
//!
//! The library is found by the names of its functions, once: it is loaded before anything else, or
//! never. What each name promises stands in `crates/nalloc-preload/src/beside.rs`.

use std::ffi::{CStr, c_void};
use std::mem::transmute;
use std::sync::OnceLock;

type Figures = unsafe extern "C" fn(*mut u64, usize) -> usize;
type Act = extern "C" fn();
type Give = extern "C" fn() -> u64;
type BeginPhase = unsafe extern "C" fn(*const u8, usize) -> usize;
type EndPhase = extern "C" fn(usize);
type PhasePeak = unsafe extern "C" fn(*const u8, usize) -> u64;

struct Library {
    figures: Figures,
    reset_peak: Act,
    soften: Give,
    release: Give,
    /// None in an older library.
    phases: Option<PhaseCalls>,
}

struct PhaseCalls {
    begin: BeginPhase,
    end: EndPhase,
    peak: PhasePeak,
}

/// A phase of the library's heap, which ends when this is dropped.
pub struct Phase {
    number: usize,
    end: EndPhase,
}

impl Drop for Phase {
    fn drop(&mut self) {
        (self.end)(self.number);
    }
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
            phases: find_phases(),
        })
    });
    found.as_ref()
}

fn find_phases() -> Option<PhaseCalls> {
    Some(PhaseCalls {
        // SAFETY: the type of the function of that name, in every version that has it.
        begin: unsafe {
            transmute::<*mut c_void, BeginPhase>(find(c"nalloc_preload_begin_phase")?)
        },
        // SAFETY: as above.
        end: unsafe { transmute::<*mut c_void, EndPhase>(find(c"nalloc_preload_end_phase")?) },
        // SAFETY: as above.
        peak: unsafe { transmute::<*mut c_void, PhasePeak>(find(c"nalloc_preload_phase_peak")?) },
    })
}

fn phases() -> Option<&'static PhaseCalls> {
    library()?.phases.as_ref()
}

/// Begins a phase in the library's heap, if there is one. `name` is never freed.
pub fn phase(name: &'static str) -> Option<Phase> {
    let calls = phases()?;
    // SAFETY: the text is UTF-8 and lives for ever.
    let number = unsafe { (calls.begin)(name.as_ptr(), name.len()) };
    Some(Phase { number, end: calls.end })
}

/// The most that was live in the library's heap while a phase of this name was open.
pub fn phase_peak_bytes(name: &str) -> u64 {
    // SAFETY: the text has that many bytes.
    phases().map_or(0, |calls| unsafe { (calls.peak)(name.as_ptr(), name.len()) })
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
