//! Arenas: what is handed out is disjoint, aligned, zero, and gone after a reset.

use std::{fs, slice, thread};

use nalloc::{Arena, Error, NAlloc, SubArena};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

/// The flags of the mapping that holds `address`, as `/proc/self/smaps` names them.
fn flags_of(address: usize) -> String {
    let maps = fs::read_to_string("/proc/self/smaps").expect("smaps");
    let mut is_inside = false;
    for line in maps.lines() {
        if let Some((from, to)) = line.split_once(' ').and_then(|(range, _)| range.split_once('-'))
        {
            let hex = |text| usize::from_str_radix(text, 16);
            if let (Ok(from), Ok(to)) = (hex(from), hex(to)) {
                is_inside = (from..to).contains(&address);
            }
        }
        if let (true, Some(flags)) = (is_inside, line.strip_prefix("VmFlags:")) {
            return flags.to_owned() + " ";
        }
    }
    String::new()
}

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
    let arena = Arena::with_capacity(1 << 20).expect("memory");
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
    assert_eq!(arena.used_bytes(), used);
    assert!(arena.alloc_array::<u64>(0).is_empty() && arena.used_bytes() == used);
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
    let secret: &mut [u8] = arena.alloc_array(300_000);
    secret.fill(0xa5);
    (secret.as_ptr(), secret.len())
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
fn a_secret_arena_is_hidden_while_it_lives_and_ordinary_afterwards() {
    let arena = Arena::builder().capacity_bytes(1 << 20).secret(true).build().expect("memory");
    let secret = write_secret(&arena);
    let flags = flags_of(secret.0.addr());
    let status = arena.secret_status().expect("a secret arena");
    assert_eq!(flags.contains(" dd "), status.is_hidden_from_dumps, "{flags}");
    assert_eq!(flags.contains(" wf "), status.is_wiped_on_fork, "{flags}");
    assert!(status.is_hidden_from_dumps && status.is_wiped_on_fork, "{status:?}");

    drop(arena);

    let flags = flags_of(secret.0.addr());
    assert!(!flags.contains(" dd ") && !flags.contains(" wf "), "{flags}");
}
