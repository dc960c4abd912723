//! Where blocks go, and how they become longer or shorter.

use std::slice;

use super::*;
use crate::config::LARGE;
use crate::os::fake::Fake;
use crate::units::Granules;

#[test]
fn a_phase_with_other_sizes_reuses_the_same_pages() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let first = [(); 6].map(|()| alloc(&heap, 12 << 20));
    for block in first {
        free(&heap, block, 12 << 20);
    }

    let second = [(); 2].map(|()| alloc(&heap, 35 << 20));

    let stats = heap.stats();
    assert!(stats.live_bytes + stats.cached_bytes <= 73 << 20, "{stats:?}");
    for block in second {
        free(&heap, block, 35 << 20);
    }
    heap.check();
}

#[test]
fn growth_by_doubling_stays_in_place_when_nothing_is_above() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let mut bytes = 1 << 20;
    let first = alloc(&heap, bytes);

    while bytes < 64 << 20 {
        // SAFETY: the block is ours and has `bytes` bytes.
        let now = unsafe { heap.resize(first, Request::fixed(bytes, 8), bytes * 2) };
        assert_eq!(now, Ok(first));
        bytes *= 2;
    }

    free(&heap, first, bytes);
    heap.check();
}

#[test]
fn a_block_that_grew_has_room_to_grow_again_in_place() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let first = alloc(&heap, 1 << 20);
    // SAFETY: the block is ours and has that many bytes.
    let grown = unsafe { heap.resize(first, Request::fixed(1 << 20, 8), 2 << 20) };
    let other = alloc(&heap, LARGE);

    // SAFETY: as above.
    let again = unsafe { heap.resize(first, Request::fixed(2 << 20, 8), 4 << 20) };

    assert_eq!((grown, again), (Ok(first), Ok(first)));
    free(&heap, other, LARGE);
    free(&heap, first, 4 << 20);
    heap.check();
}

#[test]
fn a_block_with_another_above_grows_down_and_needs_no_second_place() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let blocks = [(); 3].map(|()| alloc(&heap, 8 << 20));
    free(&heap, blocks[0], 8 << 20);
    // SAFETY: the block has that many bytes.
    unsafe { blocks[1].write_bytes(5, 8 << 20) };
    let peak = heap.stats().peak_live_bytes;

    // SAFETY: the block is ours and has that many bytes.
    let grown = unsafe { heap.resize(blocks[1], Request::fixed(8 << 20, 8), 15 << 20) };

    let grown = grown.expect("memory");
    // SAFETY: the block has at least that many bytes.
    let bytes = unsafe { slice::from_raw_parts(grown.as_ptr(), 8 << 20) };
    assert!(grown < blocks[1] && bytes.iter().all(|&byte| byte == 5));
    assert!(heap.stats().peak_live_bytes <= peak, "{:?}", heap.stats());
    free(&heap, grown, 15 << 20);
    free(&heap, blocks[2], 8 << 20);
    heap.check();
}

#[test]
fn a_block_that_becomes_shorter_stays_and_gives_its_end_back() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let block = alloc(&heap, 8 << 20);
    let live = heap.stats().live_bytes;

    // SAFETY: the block is ours and has that many bytes.
    let shrunk = unsafe { heap.resize(block, Request::fixed(8 << 20, 8), LARGE) };

    assert_eq!(shrunk, Ok(block));
    assert_eq!(heap.stats().live_bytes, live - ((8 << 20) - wide(LARGE)));
    free(&heap, block, LARGE);
    heap.check();
}

#[test]
fn sixty_four_blocks_in_turn_start_at_sixty_four_different_lines() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);

    let mut lines: Vec<_> = (0..64).map(|_| alloc(&heap, LARGE).addr().get() % 4096 / 64).collect();

    lines.sort_unstable();
    assert_eq!(lines, (0..64).collect::<Vec<_>>());
}

#[test]
fn a_vector_that_grows_as_others_did_stays_in_place_between_small_blocks() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let round = || {
        let mut bytes = 1 << 20;
        let mut block = alloc(&heap, bytes);
        let mut others = Vec::new();
        let mut moves = 0;
        while bytes < 16 << 20 {
            others.push(alloc(&heap, 2 * LARGE));
            // SAFETY: the block is ours and has `bytes` bytes.
            let grown = unsafe { heap.resize(block, Request::fixed(bytes, 8), bytes * 2) };
            let grown = grown.expect("memory");
            moves += usize::from(grown != block);
            (block, bytes) = (grown, bytes * 2);
        }
        free(&heap, block, bytes);
        for other in others {
            free(&heap, other, 2 * LARGE);
        }
        heap.check();
        moves
    };

    let moves: Vec<usize> = (0..100).map(|_| round()).collect();

    assert_eq!(moves[..2], [1, 1]);
    assert_eq!(moves[2..], [0; 98]);
    let long = alloc(&heap, 64 << 20);
    // SAFETY: the block is ours; its end was never written.
    unsafe { heap.free(long, 64 << 20, 40 << 20) };
    assert_eq!(round(), 0, "in a hole of which not all is warm");
}

#[test]
fn room_that_is_kept_for_growth_is_used_before_the_range_is_left() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    for _ in 0..4 {
        let block = alloc(&heap, 1 << 20);
        // SAFETY: the block is ours and has 1 MiB.
        let grown = unsafe { heap.resize(block, Request::fixed(1 << 20, 8), 16 << 20) };
        free(&heap, grown.expect("memory"), 16 << 20);
    }
    let growing = alloc(&heap, 1 << 20);
    let next = alloc(&heap, 2 * LARGE);
    assert!(next.addr().get() - growing.addr().get() >= 16 << 20, "no room was kept");

    while heap.stats().fallbacks == 0 {
        alloc(&heap, 2 * LARGE);
    }

    let state = heap.lock();
    let space = state.main.as_ref().expect("a range");
    let rest = space.range.len() - space.totals.live;
    assert!(rest < Granules(100), "{rest:?} were left");
}

#[test]
fn two_blocks_that_grow_at_the_same_time_in_warm_pages_leave_each_other_room() {
    let fake = Fake::new(1, 4096);
    let heap = heap(&fake);
    let grow = |block, from: usize, to: usize| {
        // SAFETY: the block is ours and has `from` bytes.
        unsafe { heap.resize(block, Request::fixed(from, 8), to) }.expect("memory")
    };
    for _ in 0..4 {
        let block = grow(alloc(&heap, 1 << 20), 1 << 20, 16 << 20);
        free(&heap, block, 16 << 20);
    }
    let warm = alloc(&heap, 64 << 20);
    free(&heap, warm, 64 << 20);

    let blocks = [(); 3].map(|()| alloc(&heap, 1 << 20));

    for to in [4, 16] {
        for block in blocks {
            let from = if to == 4 { 1 << 20 } else { 4 << 20 };
            assert_eq!(grow(block, from, to << 20), block, "moved on its way to {to} MiB");
        }
    }
    heap.check();
}
