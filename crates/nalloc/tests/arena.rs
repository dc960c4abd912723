//! Arenas: what is handed out is disjoint, aligned, zero, and gone after a reset.

#[path = "support/child.rs"]
mod child;
#[path = "support/maps.rs"]
mod maps;
#[path = "support/page.rs"]
mod page;

use std::{slice, thread};

use maps::mapping_of;
use nalloc::{Arena, Error, NAlloc, ProverArenas, SubArena};
use page::page_bytes;

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

#[test]
fn slices_of_sixteen_threads_never_overlap() {
    let arena = Arena::with_capacity(64 << 20).expect("memory");
    let mut ranges: Vec<(usize, usize)> = thread::scope(|scope| {
        let arena = &arena;
        let workers: Vec<_> = (1..=16usize)
            .map(|k| {
                scope.spawn(move || {
                    let mut mine = Vec::new();
                    for step in 1..200 {
                        let len = (k * step * 37) % 4000 + 1;
                        let slice: &mut [u64] = arena.alloc_array(len);
                        assert!(slice.iter().all(|&word| word == 0));
                        slice.fill(u64::MAX);
                        mine.push((slice.as_ptr().addr(), len * 8));
                    }
                    mine
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });

    ranges.sort_unstable();
    assert!(ranges.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
}

/// An arena whose next `bytes` bytes are fresh from the kernel: what other tests left in the cache
/// lies before them.
fn fresh_arena(bytes: usize) -> Arena {
    const BEYOND_THE_CACHE: usize = 1 << 30;
    let arena = Arena::with_capacity(BEYOND_THE_CACHE + bytes).expect("memory");
    assert_eq!(arena.alloc_uninit::<u8>(BEYOND_THE_CACHE).len(), BEYOND_THE_CACHE);
    arena
}

#[test]
fn arrays_are_zero_after_a_reset() {
    let mut arena = Arena::with_capacity(8 << 20).expect("memory");
    for round in 0..3 {
        for len in [1, 100, 4096, 300_000] {
            let array: &mut [u64] = arena.alloc_array(len);
            assert!(array.iter().all(|&word| word == 0), "{len} words in round {round}");
            array.fill(u64::MAX);
        }
        arena.reset();
    }
}

#[test]
fn arrays_are_zero_after_a_scope_and_after_an_inner_scope() {
    let mut arena = fresh_arena(4 << 20);
    arena.scope(|mut outer| {
        outer.scope(|inner| inner.alloc_array::<u8>(2 << 20).fill(1));
        assert!(outer.alloc_array::<u8>(1 << 20).iter().all(|&byte| byte == 0), "inner scope");
    });

    assert!(arena.alloc_array::<u8>(3 << 20).iter().all(|&byte| byte == 0));
}

#[test]
fn arrays_are_zero_after_the_parts_of_a_split_were_written() {
    let mut arena = fresh_arena(1 << 20);
    for part in arena.split(4) {
        part.alloc_array::<u8>(part.capacity_bytes() - 64).fill(1);
    }

    assert!(arena.alloc_array::<u8>(1 << 20).iter().all(|&byte| byte == 0));
}

#[test]
fn a_part_that_is_forgotten_counts_as_written() {
    let mut arena = fresh_arena(1 << 20);
    let mut parts = arena.split(2);
    let forgotten = parts.pop().expect("two parts");
    forgotten.alloc_array::<u8>(100_000).fill(1);
    std::mem::forget(forgotten);
    drop(parts);

    assert!(arena.alloc_array::<u8>(1 << 20).iter().all(|&byte| byte == 0));
}

#[test]
fn parts_that_end_leave_the_exact_high_water_mark() {
    let mut arena = Arena::with_capacity(64 << 20).expect("memory");
    arena.alloc_array::<u8>(1000).fill(1);
    let parts = arena.split(4);
    thread::scope(|scope| {
        let fill = |part: SubArena<'_>| part.alloc_array::<u8>(10_000).fill(1);
        let workers: Vec<_> =
            parts.into_iter().map(|part| scope.spawn(move || fill(part))).collect();
        // By the C library, which a thread sanitizer sees; what the scope waits for it does not.
        for worker in workers {
            worker.join().expect("a worker");
        }
    });
    let quarter = arena.capacity_bytes() / 4;

    let high = arena.high_water_bytes();

    assert!((3 * quarter..3 * quarter + 20_000).contains(&high), "{high} of {arena:?}");
    assert!(arena.split(3).iter().all(|part| part.used_bytes() == 0));
    assert_eq!(arena.high_water_bytes(), high, "parts that were not used change nothing");
}

#[test]
fn a_scope_that_panics_gives_back_what_it_took() {
    let mut arena = Arena::with_capacity(1 << 20).expect("memory");
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        arena.scope(|scope| {
            scope.alloc_array::<u8>(1000).fill(1);
            panic!("meant")
        })
    }));

    assert!(caught.is_err() && arena.used_bytes() == 0);
    assert!(arena.alloc_array::<u8>(2000).iter().all(|&byte| byte == 0));
}

#[test]
fn an_exclusive_handle_hands_out_what_the_arena_would() {
    let mut arena = Arena::with_capacity(1 << 20).expect("memory");
    arena.alloc_array::<u8>(10).fill(1);
    let mut own = arena.exclusive();
    let (one, two) = (own.alloc_array::<u64>(100), own.alloc_copy(&[7_u32; 100]));
    let three = own.alloc_uninit_aligned::<u64>(8, 4096);
    assert_eq!(three.as_ptr().addr() % 4096, 0);
    one.fill(u64::MAX);
    assert!(two.iter().all(|&word| word == 7));
    assert!(own.try_alloc_array::<u8>(2 << 20).is_err());
    let used = own.used_bytes();

    assert_eq!(arena.used_bytes(), used + 10, "what was handed out stays so");
    arena.scope(|mut scope| {
        let outer = scope.alloc_copy(&[1, 2, 3]);
        let inner = scope.exclusive().alloc_array::<u8>(9999);
        assert!(inner.iter().all(|&byte| byte == 0));
        assert_eq!(outer, &[1, 2, 3]);
    });
    let mut parts = arena.split(2);
    let slices: Vec<&mut [u8]> =
        parts.iter_mut().map(|part| part.exclusive().alloc_array::<u8>(100)).collect();
    assert!(slices[0].as_ptr_range().end <= slices[1].as_ptr_range().start);
}

#[test]
fn what_goes_beyond_the_limit_of_an_arena_is_an_error() {
    let arena = Arena::builder().capacity_bytes(1 << 20).memory_limit_bytes(10_000).build();
    let mut arena = arena.expect("memory");
    arena.alloc_array::<u8>(9000).fill(1);

    let error = arena.try_alloc_array::<u8>(2000).err();

    assert!(
        matches!(error, Some(Error::MemoryLimit { limit: 10_000, live: 9000, .. })),
        "{error:?}"
    );
    assert_eq!((arena.used_bytes(), arena.capacity_bytes()), (9000, 10_000));
    assert!(arena.scope(|scope| scope.try_alloc_uninit::<u8>(2000).is_err()));
    assert!(arena.split(2).iter().all(|part| part.try_alloc_uninit::<u8>(2000).is_err()));
    assert!(arena.exclusive().try_alloc_copy(&[0; 2000]).is_err());
    arena.reset();
    assert!(arena.try_alloc_array::<u8>(9999).is_ok());
}

#[test]
fn an_arena_begins_where_it_was_asked_to() {
    // Where both a thread and an address sanitizer let programs have memory.
    const WANTED: usize = 0x5510_0000_0000;
    let builder = Arena::builder().capacity_bytes(1 << 20).base_address(WANTED);
    let live = nalloc::stats().live_bytes;
    let arena = builder.build().expect("free addresses");
    let first = arena.alloc_array::<u64>(1000);
    first.fill(1);
    assert_eq!(first.as_ptr().addr(), WANTED);
    assert!(nalloc::stats().live_bytes >= live.min(1 << 20), "it counts as live");

    for (wanted, errno) in [
        (WANTED, libc::EEXIST),
        (WANTED + page_bytes(), libc::EEXIST),
        (WANTED + 1, libc::EINVAL),
        // The kernel lets root have that page.
        (0, libc::EINVAL),
    ] {
        let error = Arena::builder().capacity_bytes(1 << 20).base_address(wanted).build().err();
        assert_eq!(error, Some(Error::Address { wanted, errno }));
    }

    drop(arena);
    let again = builder.secret(true).build().expect("the addresses are free again");
    assert!(again.alloc_array::<u64>(1000).iter().all(|&word| word == 0));
    let status = again.secret_status().expect("a secret arena");
    assert!(status.is_hidden_from_dumps && status.is_wiped_on_fork);
}

#[test]
fn memory_that_somebody_else_hands_out_is_wiped_too() {
    let mut arena = Arena::builder().capacity_bytes(1 << 20).secret(true).build().expect("memory");
    let start = arena.as_mut_ptr();
    // SAFETY: the arena has that many bytes, and hands none of them out itself.
    unsafe { start.write_bytes(0xa5, 300_000) };
    arena.set_used_bytes(300_000).expect("room");
    arena.set_used_bytes(10).expect("fewer change nothing");
    assert_eq!((arena.used_bytes(), arena.high_water_bytes()), (300_000, 300_000));
    let error = arena.set_used_bytes(2 << 20).err();
    assert!(matches!(error, Some(Error::ArenaFull { .. })), "{error:?}");

    arena.reset();

    assert!(is_wiped((start, 300_000)) && arena.used_bytes() == 0);
}

#[test]
fn a_retired_arena_leaves_zeros_that_anybody_may_write_to() {
    for secret in [false, true] {
        let before = nalloc::stats().retired_bytes;
        let builder = Arena::builder().capacity_bytes(1 << 20).secret(secret);
        let mut arena = builder.build().expect("memory");
        arena.alloc_array::<u8>(1 << 20).fill(9);
        let retired = arena.as_mut_ptr();
        arena.retire();

        assert!(is_wiped((retired, 1 << 20)));
        // SAFETY: retired bytes stay mapped, readable and writable, and belong to nobody.
        unsafe { retired.write_bytes(1, 1 << 20) };
        assert!(nalloc::stats().retired_bytes >= before + (1 << 20));
        let other = Arena::with_capacity(1 << 20).expect("memory");
        assert!(other.alloc_array::<u8>(1 << 20).as_ptr() != retired, "nobody gets it again");
    }
}

#[test]
fn the_arenas_of_a_prover_are_isolated_from_each_other() {
    let sized = |bytes| Arena::builder().capacity_bytes(bytes);
    let mut arenas = ProverArenas::builder()
        .polynomial(sized(1 << 20))
        .witness(sized(1 << 18).memory_limit_bytes(200_000))
        .scratch(sized(1 << 19))
        .build()
        .expect("memory");
    let witness = write_bytes(&arenas.witness, 100_000);
    let scratch = write_bytes(&arenas.scratch, 100_000);
    let polynomial = write_bytes(&arenas.polynomial, 500_000);
    assert!(arenas.witness.secret_status().is_some());
    assert!(
        arenas.polynomial.secret_status().is_none() && arenas.scratch.secret_status().is_none()
    );
    assert!(arenas.witness.try_alloc_array::<u8>(200_000).is_err());
    assert!(arenas.scratch.try_alloc_array::<u8>(200_000).is_ok());

    arenas.witness.secure_wipe();
    assert!(is_wiped(witness) && !is_wiped(scratch) && !is_wiped(polynomial));
    let witness = write_bytes(&arenas.witness, 100_000);
    arenas.reset();
    assert!(is_wiped(witness) && !is_wiped(scratch) && !is_wiped(polynomial));
    arenas.secure_wipe();

    assert!(is_wiped(scratch) && is_wiped(polynomial));
    let (used, high) = (arenas.polynomial.used_bytes(), arenas.polynomial.high_water_bytes());
    assert!(used == 0 && high >= 500_000);
    let nothing = ProverArenas::builder().polynomial(sized(usize::MAX)).build();
    assert!(matches!(nothing, Err(Error::LengthOverflow)));
}

#[test]
fn the_parts_of_a_split_begin_where_they_always_begin() {
    let mut arena = Arena::with_capacity(16 << 20).expect("memory");
    let kept = arena.alloc_copy(&[1u8; 1000]).as_ptr().addr();
    let work = |part: &SubArena<'_>| -> Vec<usize> {
        let lengths = [10_000, 200_000, 7, 1 << 20];
        lengths.map(|len| part.alloc_array::<u8>(len).as_ptr().addr()).to_vec()
    };

    let in_order: Vec<_> = arena.split(8).iter().map(work).collect();
    let parts = arena.split(8);
    let in_parallel: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> =
            parts.iter().rev().map(|part| scope.spawn(move || work(part))).collect();
        workers.into_iter().rev().map(|worker| worker.join().expect("a worker")).collect()
    });
    drop(parts);

    assert_eq!(in_order, in_parallel);
    assert!(in_order.iter().flatten().all(|&address| address >= kept + 1000));
    assert!(arena.split(0).is_empty());
}

#[test]
fn scopes_nest_and_give_back_what_they_took_while_outer_slices_stay() {
    let mut arena = Arena::with_capacity(1 << 20).expect("memory");
    let used = arena.scope(|mut outer| {
        let kept: &mut [u32] = outer.alloc_copy(&[1, 2, 3]);
        let before = outer.used_bytes();
        let first = outer.scope(|inner| inner.alloc_array::<u8>(9999).as_ptr().addr());
        let second = outer.scope(|inner| inner.alloc_array::<u8>(9999).as_ptr().addr());
        assert_eq!((first, before), (second, outer.used_bytes()));
        assert_eq!(kept, &[1, 2, 3]);
        before
    });

    assert!(used >= 12);
    assert_eq!(arena.used_bytes(), 0);
    assert!(arena.high_water_bytes() >= 9999);
}

#[test]
fn arrays_are_aligned_as_promised_and_do_not_share_cache_sets() {
    let arena = Arena::with_capacity(64 << 20).expect("memory");
    let address = |len| arena.alloc_array::<u8>(len).as_ptr().addr();

    assert!((1..50).all(|len| address(len) % 64 == 0));
    let pages: Vec<_> = (0..16).map(|_| address(1 << 20)).collect();
    let lines: Vec<_> =
        (0..16).map(|_| arena.alloc_array_aligned::<u8>(1 << 20, 64).as_ptr().addr()).collect();

    assert!(pages.iter().all(|start| start % 4096 == 0));
    let distinct = |starts: &[usize]| {
        let mut sets: Vec<_> = starts.iter().map(|start| start % (64 << 10)).collect();
        sets.sort_unstable();
        sets.dedup();
        sets.len()
    };
    assert_eq!((distinct(&pages), distinct(&lines)), (16, 16));
    for shift in 6..=20 {
        let start = arena.alloc_array_aligned::<u8>(1, 1 << shift).as_ptr().addr();
        assert_eq!(start % (1 << shift), 0);
    }
}

#[test]
fn what_does_not_fit_is_an_error_and_takes_nothing() {
    let mut arena = Arena::with_capacity(1 << 20).expect("memory");
    arena.alloc_array::<u8>(1000).fill(1);
    let used = arena.used_bytes();

    let too_long = arena.try_alloc_array::<u64>(1 << 20);
    assert!(matches!(too_long, Err(Error::ArenaFull { .. })), "{too_long:?}");
    for len in [usize::MAX, usize::MAX / 8 + 1, usize::MAX / 8] {
        let overflow = arena.try_alloc_array::<u64>(len).err();
        let is_refused = matches!(overflow, Some(Error::LengthOverflow | Error::ArenaFull { .. }));
        assert!(is_refused, "{len}: {overflow:?}");
    }
    for align in [0, 3, 4, usize::MAX] {
        let unfit = arena.try_alloc_array_aligned::<u64>(1, align).err();
        assert_eq!(unfit, Some(Error::Alignment { wanted: align, least: 8 }));
    }
    assert!(arena.try_alloc_array_aligned::<u8>(1, 1 << 63).is_err());
    assert!(Arena::with_capacity(usize::MAX).is_err());
    assert!(Arena::builder().alignment(3).build().is_err());
    assert!(Arena::builder().capacity_bytes(usize::MAX).base_address(1 << 40).build().is_err());
    let empty = Arena::with_capacity(0).expect("an arena of no bytes");
    assert!(empty.alloc_array::<u64>(0).is_empty());
    assert_eq!(arena.used_bytes(), used);
    assert!(arena.alloc_array::<u64>(0).is_empty() && arena.used_bytes() == used);
    assert!(matches!(arena.set_used_bytes(usize::MAX), Err(Error::ArenaFull { .. })));
    let error = arena.try_split(usize::MAX).err();
    assert!(matches!(error, Some(Error::NoMemory { .. })), "{error:?}");
    assert!(arena.try_split(0).is_ok_and(|parts| parts.is_empty()));
    assert_eq!(arena.used_bytes(), used);
}

#[test]
fn arrays_whose_lengths_add_up_to_the_capacity_fit() {
    for (count, bytes) in [(64, 64 << 10), (4, 1 << 20), (3, 5 << 20), (7, 1_000_000)] {
        let arena = Arena::with_capacity(count * bytes).expect("memory");
        for _ in 0..count {
            arena.alloc_array::<u8>(bytes).fill(1);
        }
        let arena = Arena::with_capacity(count * bytes).expect("memory");
        for _ in 0..count {
            arena.alloc_array_aligned::<u8>(bytes, 64).fill(1);
        }
    }
}

/// Writes a pattern into `arena` and answers where.
fn write_secret(arena: &Arena) -> (*const u8, usize) {
    write_bytes(arena, 300_000)
}

fn write_bytes(arena: &Arena, len: usize) -> (*const u8, usize) {
    let bytes: &mut [u8] = arena.alloc_array(len);
    bytes.fill(0xa5);
    (bytes.as_ptr(), len)
}

/// Whether the bytes that a secret was in are zero now.
fn is_wiped((start, len): (*const u8, usize)) -> bool {
    // SAFETY: the bytes are in the heap's range, which stays mapped, and no other thread of this
    // test writes them; they are read only to see that nothing is left.
    let bytes = unsafe { slice::from_raw_parts(start, len) };
    bytes.iter().all(|&byte| byte == 0)
}

#[test]
fn a_secret_arena_wipes_on_reset_what_was_ever_handed_out() {
    let mut arena = Arena::builder().capacity_bytes(1 << 20).secret(true).build().expect("memory");
    let first = write_secret(&arena);
    let second = arena.scope(|scope| {
        let inner = scope.alloc_array::<u8>(400_000);
        inner.fill(0x5a);
        (inner.as_ptr(), inner.len())
    });
    assert!(!is_wiped(first) && !is_wiped(second), "the control finds the secret");

    arena.reset();

    assert!(is_wiped(first) && is_wiped(second));
    assert!(arena.high_water_bytes() >= 700_000);
}

#[test]
fn secure_wipe_clears_up_to_the_high_water_mark_of_the_whole_life() {
    let mut arena = Arena::with_capacity(1 << 20).expect("memory");
    let secret = write_secret(&arena);
    arena.reset();
    arena.alloc_array::<u8>(1).fill(1);
    assert!(!is_wiped((secret.0.wrapping_add(64), 1000)), "the control finds the secret");

    arena.secure_wipe();

    assert!(is_wiped(secret) && arena.used_bytes() == 0);
}

#[test]
fn secure_wipe_leaves_no_byte_of_what_every_kind_of_call_handed_out() {
    let mut arena = Arena::with_capacity(4 << 20).expect("memory");
    let (start, capacity) = (arena.as_mut_ptr().cast_const(), arena.capacity_bytes());
    // SAFETY: the arena has that many bytes.
    unsafe { start.cast_mut().write_bytes(0, capacity) };
    for round in 0..3_usize {
        let lens = [1, 63, 1000 + round, 70_000, 1 << 20];
        for len in lens {
            arena.alloc_array::<u8>(len).fill(1);
            arena.alloc_uninit_aligned::<u8>(len / 3, 256).fill(std::mem::MaybeUninit::new(2));
            arena.alloc_copy(&[3_u8; 77])[0] = 4;
            arena.scope(|mut scope| {
                scope.alloc_array::<u64>(len / 9).fill(4);
                scope.scope(|inner| inner.alloc_array_aligned::<u8>(len / 2, 512).fill(5));
                scope.exclusive().alloc_array::<u8>(99).fill(6);
            });
            for mut part in arena.split(3) {
                part.alloc_array::<u8>(len / 8).fill(7);
                part.scope(|scope| scope.alloc_array::<u8>(len / 16).fill(8));
            }
            arena.exclusive().alloc_array::<u16>(33).fill(9);
        }
        arena.reset();
    }
    assert!(!is_wiped((start, arena.high_water_bytes())), "the control");

    arena.secure_wipe();

    assert!(is_wiped((start, capacity)), "nothing beyond the mark was written either");
}

#[test]
fn a_secret_arena_is_locked_as_it_is_touched() {
    let arena = Arena::builder().capacity_bytes(4 << 30).secret(true).build().expect("addresses");
    let (start, _) = write_secret(&arena);
    let status = arena.secret_status().expect("a secret arena");
    let mapping = mapping_of(start.addr());

    assert_eq!(mapping.locked_kib != 0, status.is_locked, "{mapping:?}");
    // What other tests left warm is locked at once.
    assert!(mapping.locked_kib < 1 << 20, "the capacity does not become resident: {mapping:?}");
}

#[test]
fn a_secret_arena_is_hidden_while_it_lives_and_ordinary_afterwards() {
    // Alone: the next secret arena of another test may take the same pages.
    const NAME: &str = "a_secret_arena_is_hidden_while_it_lives_and_ordinary_afterwards";
    if !child::is_child(NAME) {
        let output = child::run(NAME, &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let arena = Arena::builder().capacity_bytes(1 << 20).secret(true).build().expect("memory");
    let secret = write_secret(&arena);
    let mapping = mapping_of(secret.0.addr());
    assert_eq!(mapping.access, "rw-p");
    let flags = &mapping.flags;
    let status = arena.secret_status().expect("a secret arena");
    assert_eq!(flags.contains(" lo "), status.is_locked, "{flags}");
    assert_eq!(flags.contains(" dd "), status.is_hidden_from_dumps, "{flags}");
    assert_eq!(flags.contains(" wf "), status.is_wiped_on_fork, "{flags}");
    assert!(status.is_hidden_from_dumps && status.is_wiped_on_fork, "{status:?}");

    drop(arena);

    let flags = mapping_of(secret.0.addr()).flags;
    for flag in [" dd ", " wf ", " lo "] {
        assert!(!flags.contains(flag), "{flags}");
    }
}
