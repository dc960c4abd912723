//! The same calls lay an arena out alike in every process, whatever the scheduling.

#[path = "support/child.rs"]
mod child;

use std::thread;

use nalloc::{Arena, NAlloc, SubArena};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const ORDER: &str = "NALLOC_TEST_ORDER";
const BASE: usize = 0x2345_6000_0000;

/// Adds a number to a digest (FNV-1a).
fn mix(digest: u64, number: usize) -> u64 {
    number.to_le_bytes().iter().fold(digest, |digest, &byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What one task takes from its part, as a digest of offsets and lengths.
fn work(part: &mut SubArena<'_>, task: usize, base: usize) -> u64 {
    let mut digest = 0xcbf2_9ce4_8422_2325;
    for step in 1..60_usize {
        let len = (task * 7919 + step * step * 104_729) % 90_000;
        let place = match step % 4 {
            0 => part.alloc_array_aligned::<u8>(len, 1 << (step % 13)).as_ptr().addr(),
            1 => part.alloc_uninit::<u64>(len / 8).as_ptr().addr(),
            2 => part.scope(|scope| scope.alloc_array::<u8>(len).as_ptr().addr()),
            _ => part.alloc_array::<u8>(len).as_ptr().addr(),
        };
        if len >= 8 {
            digest = mix(mix(digest, place - base), len);
        }
        if step % 7 == 0 {
            thread::yield_now();
        }
    }
    digest
}

/// A digest of the whole layout: the parts of a split, used in an order of their own.
fn digest(order: &str, base: Option<usize>) -> u64 {
    let mut builder = Arena::builder().capacity_bytes(64 << 20);
    if let Some(address) = base {
        builder = builder.base_address(address);
    }
    let mut arena = builder.build().expect("memory");
    // With a base address the digest is of addresses, else of offsets from the first byte.
    let from = if base.is_some() { 0 } else { arena.as_mut_ptr().addr() };
    arena.alloc_array::<u8>(12_345).fill(1);
    let mut parts: Vec<_> = arena.split(16).into_iter().enumerate().collect();
    let mut digests: Vec<(usize, u64)> = match order {
        "in order" => parts.iter_mut().map(|(at, part)| (*at, work(part, *at, from))).collect(),
        "backwards" => {
            parts.iter_mut().rev().map(|(at, part)| (*at, work(part, *at, from))).collect()
        }
        _ => thread::scope(|scope| {
            let spawn = |(at, mut part): (usize, SubArena<'_>)| (at, work(&mut part, at, from));
            let threads: Vec<_> =
                parts.into_iter().rev().map(|part| scope.spawn(move || spawn(part))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a task")).collect()
        }),
    };
    digests.sort_unstable();
    digests.iter().fold(0, |digest, &(at, part)| digest.rotate_left(5) ^ part ^ at as u64)
}

#[test]
fn equal_calls_give_equal_layouts_in_every_process_and_order() {
    const NAME: &str = "equal_calls_give_equal_layouts_in_every_process_and_order";
    if child::is_child(NAME) {
        let order = std::env::var(ORDER).expect("an order");
        println!("\ndigest {:#x} {:#x}", digest(&order, None), digest(&order, Some(BASE)));
        return;
    }
    let said = |order: &str| {
        let output = child::run(NAME, &[(ORDER, order)]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().find(|line| line.starts_with("digest")).expect("a digest").to_owned()
    };

    let first = said("in order");

    for order in ["in order", "backwards", "threads", "threads"] {
        assert_eq!(said(order), first, "{order}");
    }
}
