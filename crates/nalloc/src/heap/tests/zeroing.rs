//! Blocks of zeros of which little is used.

use std::slice;

use super::*;
use crate::config::{LEFT_OUT_BYTES_MIN, SPARSE_LOOKS};
use crate::os::fake::{Fake, Fault, Verb};
use crate::units::Granules;

#[test]
fn a_size_that_is_used_sparsely_is_served_untouched_until_it_is_used_densely() {
    for bytes in [3_000_000, 9 << 20] {
        let fake = Fake::new(1, 4096);
        let heap = heap(&fake);
        let round = |is_sparse: bool| {
            let dirty = alloc(&heap, 10 << 20);
            // SAFETY: the block has that many bytes.
            unsafe { dirty.write_bytes(7, 10 << 20) };
            free(&heap, dirty, 10 << 20);
            let start = heap.alloc_zeroed(Request::fixed(bytes, 8)).expect("memory");
            // SAFETY: the block has that many bytes.
            let all = unsafe { slice::from_raw_parts_mut(start.as_ptr(), bytes) };
            assert!(all.iter().all(|&byte| byte == 0), "{bytes}");
            let used = if is_sparse { 10_000 } else { bytes };
            all[..used].fill(9);
            free(&heap, start, bytes);
            heap.check();
        };
        let untouched = || heap.stats().untouched;
        (0..3).for_each(|_| round(true));
        let first = untouched();
        (0..10).for_each(|_| round(true));
        assert_eq!(untouched() - first, 10, "{bytes}");
        assert!(heap.stats().cached_bytes < 14 << 20, "{:?}", heap.stats());

        let sparse = untouched();
        (0..SPARSE_LOOKS).for_each(|_| round(false));
        let until_seen = untouched();
        (0..4).for_each(|_| round(false));

        assert!(until_seen > sparse, "{bytes}");
        assert_eq!(untouched(), until_seen, "{bytes}");
    }
}

#[test]
fn the_huge_page_that_is_asked_about_is_not_that_of_the_first_middle_or_last_byte() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    for bytes in [LEFT_OUT_BYTES_MIN, (9 << 20) + 12_345, 64 << 20] {
        let start = alloc(&heap, bytes);

        let state = heap.lock();
        let space = state.main.as_ref().expect("a range");
        let granule = |offset: usize| {
            // SAFETY: the offset is within the block.
            space.range.index_of(unsafe { start.add(offset) }).expect("in the range")
        };
        let extent = Extent::between(granule(0), granule(bytes - 1) + Granules(1));
        let inner = space.inner_huge_page(extent).expect("a block has one from this size on");

        assert_eq!(inner.len, Granules(512));
        for offset in [0, bytes / 2, bytes - 1] {
            let at = granule(offset);
            assert!(at < inner.at || inner.end() <= at, "{offset} of {bytes} bytes");
        }
        drop(state);
        free(&heap, start, bytes);
    }
}

#[test]
fn sparse_pages_that_the_kernel_will_not_take_are_cleared() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let bytes = 3_000_000;
    let zeroed = || heap.alloc_zeroed(Request::fixed(bytes, 8)).expect("memory");
    for round in 0..8 {
        if round == 5 {
            fake.set_fault(Some(Fault { verb: Verb::Release, one_in: 1 }));
        }
        let start = zeroed();
        // SAFETY: the block has that many bytes.
        let all = unsafe { slice::from_raw_parts_mut(start.as_ptr(), bytes) };
        assert!(all.iter().all(|&byte| byte == 0), "round {round}");
        all[5000..6000].fill(1);
        free(&heap, start, bytes);
        heap.check();
    }
    let stats = heap.stats();
    assert!(stats.untouched >= 5 && stats.refusals >= 3, "{stats:?}");
}
