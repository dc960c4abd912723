//! Collections in an arena, through the crate `allocator-api2`.

use std::thread;

use allocator_api2::vec::Vec;
use nalloc::{Arena, NAlloc};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

#[test]
fn a_vector_that_was_made_last_grows_where_it_is() {
    let arena = Arena::with_capacity(1 << 20).expect("memory");
    let mut vector: Vec<u64, _> = Vec::with_capacity_in(10, &arena);
    vector.push(1);
    let start = vector.as_ptr();

    vector.extend(2..=1000);
    assert_eq!(vector.as_ptr(), start);
    let other: Vec<u8, _> = Vec::with_capacity_in(1, &arena);
    vector.extend(1001..=10_000);

    assert_ne!(vector.as_ptr(), start, "another block follows it");
    assert!(vector.iter().copied().eq(1..=10_000) && other.is_empty());
    vector.truncate(10);
    vector.shrink_to_fit();
    assert!(vector.iter().copied().eq(1..=10));
}

#[test]
fn elements_are_dropped_by_their_vector() {
    let counted = std::sync::Arc::new(());
    let mut arena = Arena::with_capacity(1 << 16).expect("memory");
    arena.scope(|scope| {
        let mut vector = Vec::new_in(&scope);
        vector.resize(100, counted.clone());
        assert_eq!(std::sync::Arc::strong_count(&counted), 101);
    });

    assert_eq!(std::sync::Arc::strong_count(&counted), 1);
    assert_eq!(arena.used_bytes(), 0);
}

#[test]
fn vectors_of_many_threads_in_one_arena_do_not_mix() {
    let arena = Arena::with_capacity(64 << 20).expect("memory");
    thread::scope(|scope| {
        for k in 0..16_u64 {
            let arena = &arena;
            scope.spawn(move || {
                let mut vector = Vec::new_in(arena);
                for step in 0..20_000 {
                    vector.push(k << 32 | step);
                }
                assert!(vector.iter().copied().eq((0..20_000).map(|step| k << 32 | step)));
            });
        }
    });
}

#[test]
fn a_full_arena_is_an_error_of_the_collection() {
    let arena = Arena::with_capacity(1 << 16).expect("memory");
    let mut vector: Vec<u64, _> = Vec::new_in(&arena);

    assert!(vector.try_reserve_exact(1 << 20).is_err());
    assert!(vector.try_reserve_exact(usize::MAX).is_err());
    assert!(vector.try_reserve_exact(100).is_ok() && vector.capacity() >= 100);
}

#[test]
fn zeroed_memory_is_zero_after_a_reset() {
    let mut arena = Arena::with_capacity(1 << 16).expect("memory");
    for _ in 0..2 {
        {
            let mut vector: Vec<u8, _> = Vec::with_capacity_in(10_000, &arena);
            vector.resize(10_000, 7);
            let boxed = allocator_api2::boxed::Box::<[u8], _>::new_zeroed_slice_in(10_000, &arena);
            // SAFETY: the bytes are zero, which is what is tested.
            let boxed = unsafe { boxed.assume_init() };
            assert!(boxed.iter().all(|&byte| byte == 0));
        }
        arena.reset();
    }
}
