//! An arena touches no page before its user does. One test alone: resident memory is the process's.

use nalloc::{Arena, NAlloc};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

fn resident_mib() -> u64 {
    nalloc::rss_bytes().expect("statm") >> 20
}

#[test]
fn capacity_and_zeroed_arrays_cost_no_memory_until_they_are_used() {
    let before = resident_mib();
    let kept = Arena::with_capacity(2 << 30).expect("address space");
    let untouched: &mut [u64] = kept.alloc_array(1 << 30 >> 3);
    assert_eq!(untouched[12_345], 0);
    assert!(resident_mib() <= before + 16, "{before} -> {} MiB", resident_mib());

    // Pages that are warm behind fresh ones do not make the fresh ones cost anything.
    let arena = Arena::with_capacity(8 << 30).expect("address space");
    arena.alloc_array::<u8>(1 << 20).fill(1);
    let other = Arena::with_capacity(32 << 20).expect("memory");
    other.alloc_array::<u8>(32 << 20).fill(1);
    drop(arena);
    drop(other);
    let arena = Arena::with_capacity(12 << 30).expect("address space");
    let zeros: &mut [u64] = arena.alloc_array(11 << 30 >> 3);
    assert!(zeros.iter().step_by(1 << 20).all(|&word| word == 0));
    assert!(resident_mib() <= before + 100, "{before} -> {} MiB", resident_mib());
}
