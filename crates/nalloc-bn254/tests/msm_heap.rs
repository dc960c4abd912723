//! What a sum of points hands back to the heap: nothing that its scalars chose. The heap is that of
//! the whole process, so this is a process of its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use nalloc::Arena;
use nalloc_bn254::{Affine, Error, Field, Fq, Fr, G1Affine, Pool, msm, msm_scratch_bytes};
use testkit::StopAfter;

/// The system's heap, which looks for a word in all that it gets back.
struct Searching;

/// What is looked for; the test forgets what was found before it said so.
static NEEDLE: AtomicU64 = AtomicU64::new(u64::MAX);
static FOUND: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static GLOBAL: Searching = Searching;

// SAFETY: blocks are the system's, of the layouts that were asked for.
unsafe impl GlobalAlloc for Searching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise. Zeroed, so that every byte may be read later.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[expect(clippy::cast_ptr_alignment, reason = "blocks of less than a word's are left out")]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.align() >= align_of::<u64>() {
            let needle = NEEDLE.load(Ordering::SeqCst);
            for index in 0..layout.size() / size_of::<u64>() {
                // SAFETY: aligned, and inside the block, which the caller gives back.
                let word = unsafe { block.cast::<u64>().add(index).read_volatile() };
                FOUND.fetch_add(usize::from(word == needle), Ordering::SeqCst);
            }
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[test]
fn no_point_that_scalars_chose_is_handed_back_to_the_heap() {
    let chosen = 5;
    let multiple = |i: u64| G1Affine::GENERATOR.mul_scalar_vartime(Fr::from_u64(i)).to_affine();
    let bases: Vec<Affine<Fq>> = (100..140).map(multiple).collect();
    let mut scalars = vec![[0; 4]; bases.len()];
    // The sum of the lowest window is the point itself.
    scalars[chosen] = [1, 0, 0, 0];
    let pool = Pool::new(Some(2)).expect("a pool of two threads");
    let bytes = msm_scratch_bytes::<Fq>(bases.len(), 2);
    NEEDLE.store(bases[chosen].x.to_montgomery()[0], Ordering::SeqCst);
    FOUND.store(0, Ordering::SeqCst);

    drop(black_box(vec![bases[chosen]]));
    assert_eq!(FOUND.swap(0, Ordering::SeqCst), 1, "the search does not find what is there");

    let scratch = Arena::with_capacity(bytes).expect("an arena");
    let sum = msm(&bases, &scalars, &pool, &scratch, &()).expect("a sum");
    assert!(sum.to_affine() == bases[chosen]);
    assert_eq!(FOUND.load(Ordering::SeqCst), 0, "after a sum");

    let scratch = Arena::with_capacity(bytes).expect("an arena");
    // After scalars were recoded and one task got its points.
    let stopped = msm(&bases, &scalars, &pool, &scratch, &StopAfter::new(2));
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!(FOUND.load(Ordering::SeqCst), 0, "after a sum that was stopped");
}
