//! Patterns of many threads.

use std::sync::Mutex;
use std::thread;

use super::buffer::Buffer;
use super::work::{Care, KIB, MIB, tag};

/// How often a thread fills a block: all of them are at work at once for most of the time.
const FILLS: usize = 4;
/// Places where threads leave blocks for each other.
const PLACES: usize = 256;
/// Blocks that a thread keeps for itself.
const OWN: usize = 8;
const LENGTH_MIN: usize = 64 * KIB;
/// Powers of two between the shortest and the longest block.
const LENGTHS: usize = 6;
/// Vectors of a thread, and the longest that one grows to.
const VECTORS: usize = 6;
const VECTOR_MIN: usize = MIB;
const VECTOR_SPAN: usize = 9 * MIB;

/// The generator of Marsaglia, 32 bits.
struct Random(u32);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        usize::try_from(self.0).unwrap_or(0) % bound
    }
}

/// Runs one closure on each of some new threads, at the same time.
fn on_threads(
    threads: usize,
    work: impl Fn(usize) -> Result<(), String> + Sync,
) -> Result<(), String> {
    let work = &work;
    thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|at| scope.spawn(move || work(at))).collect();
        handles.into_iter().try_for_each(|handle| {
            handle.join().map_err(|_| "a thread of the round ended early".to_owned())?
        })
    })
}

/// Each thread fills a block and frees it, several times.
pub fn fill(threads: usize, bytes: usize, care: Care) -> Result<(), String> {
    on_threads(threads, |at| {
        (0..FILLS).try_for_each(|_| {
            let block = Buffer::filled(bytes, tag(at));
            care.expect("expected filled bytes", || block.holds_only(tag(at)))
        })
    })
}

/// Each thread takes blocks and leaves every second one to others, who free it.
pub fn mix(threads: usize, blocks: usize, care: Care) -> Result<(), String> {
    let places: [Mutex<Option<Buffer>>; PLACES] = [const { Mutex::new(None) }; PLACES];
    let check = |block: Option<Buffer>| {
        care.expect("expected a block as its thread filled it", || {
            block.as_ref().is_none_or(|block| block.holds_only(block.bytes()[0]))
        })
    };
    on_threads(threads, |at| {
        let mut random = Random(u32::try_from(at).unwrap_or(0) * 7919 + 7919);
        let mut own: [Option<Buffer>; OWN] = [const { None }; OWN];
        for block in 0..blocks {
            let length = LENGTH_MIN << random.below(LENGTHS);
            let bytes = (length - random.below(length / 4)).max(LENGTH_MIN);
            let filled = Some(Buffer::filled(bytes, tag(at + block)));
            let place = random.below(2 * PLACES);
            check(match places.get(place) {
                Some(shared) => {
                    let mut shared = shared.lock().map_err(|error| error.to_string())?;
                    let previous = core::mem::replace(&mut *shared, filled);
                    drop(shared);
                    previous
                }
                None => core::mem::replace(&mut own[place % OWN], filled),
            })?;
        }
        own.into_iter().try_for_each(check)
    })
}

/// Each thread grows vectors by doubling.
pub fn grow(threads: usize, care: Care) -> Result<(), String> {
    on_threads(threads, |at| {
        let mut random = Random(u32::try_from(at).unwrap_or(0) + 1);
        (0..VECTORS).try_for_each(|_| {
            let mut vector = Buffer::filled(LENGTH_MIN, tag(at));
            let end = VECTOR_MIN + random.below(VECTOR_SPAN);
            while vector.len() < end {
                vector.grow(2 * vector.len(), tag(at));
            }
            care.expect("expected what was written", || vector.holds_only(tag(at)))
        })
    })
}
