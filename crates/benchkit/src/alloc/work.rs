//! What a round of each pattern does.
//!
//! Two traps shaped them. Memory that must be zero again is dirtied by *another* block, outside of
//! what is timed: a round that dirties the zeroed block itself teaches an allocator that learns
//! that this size is written densely. And a pattern is run once with every byte looked at, in a
//! process of its own, before anything is timed.

use core::hint::black_box;
use std::time::{Duration, Instant};

use super::buffer::Buffer;
use super::crowd;

pub const KIB: usize = 1 << 10;
pub const MIB: usize = 1 << 20;
const VALUE: u8 = 0x5a;
const DIRT: u8 = 0xa5;
/// Sets of buckets of an MSM, and the bytes of each.
pub const SETS: usize = 16;
/// Phases of a class shift: blocks, and the bytes of each; the same bytes are live in all.
const PHASES: [(usize, usize); 3] = [(24, 32 * MIB), (8, 96 * MIB), (64, 12 * MIB)];
pub const SHIFT_LIVE_BYTES: usize = PHASES[0].0 * PHASES[0].1;
const BURST: usize = 96;
/// Lengths of a burst, in MiB, and the step between blocks that are freed after each other.
const BURST_LENGTHS: usize = 12;
const BURST_STEP: usize = 37;
/// Blocks around those that are taken and freed in pairs, half of them free.
const NEIGHBOURS: usize = 64;
/// Between two steps of a vector that grows between small blocks.
const OBSTACLE_BYTES: usize = 128 * KIB;
/// Elements of each zeroed block that sparse patterns write.
const TOUCHED: usize = 2;

/// Whether a run looks at every byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// As it is timed.
    Timed,
    /// Everything is looked at, which takes longer.
    Checked,
}

impl Care {
    /// Fails when it is looked at and wrong.
    pub fn expect(self, what: &str, is_right: impl FnOnce() -> bool) -> Result<(), String> {
        if self == Self::Timed || is_right() { Ok(()) } else { Err(format!("{what}, got others")) }
    }
}

/// How much of zeroed memory is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// All of it.
    Dense,
    /// Two elements of each block.
    Sparse,
}

/// What of a round with zeroed memory is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// From the call to the end of the zeroed blocks.
    Call,
    /// That, and the other block that dirties the memory.
    Round,
}

/// By what a vector grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    Two,
    OneAndAHalf,
}

impl Factor {
    fn next(self, bytes: usize) -> usize {
        match self {
            Self::Two => 2 * bytes,
            Self::OneAndAHalf => bytes + bytes / 2,
        }
    }
}

/// A pattern; lengths are in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Work {
    /// A block, filled and freed.
    Fill { bytes: usize },
    /// `count` zeroed blocks, then another block that dirties the memory.
    Zeroed { count: usize, bytes: usize, dirty_bytes: usize, touch: Touch, part: Part },
    /// A vector that grows, all of it written.
    Grow { from: usize, bytes: usize, factor: Factor },
    /// The same, and a small block is taken between any two steps.
    GrowBetween { from: usize, bytes: usize },
    /// Two vectors that double in turn.
    GrowTwo { from: usize, bytes: usize },
    /// 96 blocks of 1 to 12 units, filled, then freed in another order.
    Burst { unit: usize },
    /// Phases of equal blocks, each of another size.
    Shift { divisor: usize },
    /// Threads that fill a block each, several times.
    ThreadsFill { threads: usize, bytes: usize },
    /// Threads that take blocks of many sizes, half of which other threads free.
    ThreadsMix { threads: usize, blocks: usize },
    /// New threads that grow vectors of many sizes.
    ThreadsGrow { threads: usize },
    /// Blocks taken and freed at once.
    Pairs { bytes: usize, count: usize },
    /// Columns that are read and written row by row.
    RowWalk { columns: usize, bytes: usize },
    /// Every page of a block touched, once.
    Touched { bytes: usize },
}

impl Work {
    /// Runs it; how long the timed part took.
    pub fn run(self, care: Care) -> Result<Duration, String> {
        let started = Instant::now();
        match self {
            Self::Fill { bytes } => {
                let block = Buffer::filled(bytes, VALUE);
                care.expect("expected filled bytes", || block.holds_only(VALUE))?;
            }
            Self::Zeroed { count, bytes, dirty_bytes, touch, part } => {
                zeroed_blocks(count, bytes, touch, care)?;
                let call = started.elapsed();
                drop(black_box(Buffer::filled(dirty_bytes, DIRT)));
                return Ok(if part == Part::Call { call } else { started.elapsed() });
            }
            Self::Grow { from, bytes, factor } => grow(from, bytes, factor, care)?,
            Self::GrowBetween { from, bytes } => grow_between(from, bytes, care)?,
            Self::GrowTwo { from, bytes } => grow_two(from, bytes, care)?,
            Self::Burst { unit } => burst(unit, care)?,
            Self::Shift { divisor } => shift(divisor, care)?,
            Self::ThreadsFill { threads, bytes } => crowd::fill(threads, bytes, care)?,
            Self::ThreadsMix { threads, blocks } => crowd::mix(threads, blocks, care)?,
            Self::ThreadsGrow { threads } => crowd::grow(threads, care)?,
            Self::Pairs { bytes, count } => return Ok(pairs(bytes, count)),
            Self::RowWalk { columns, bytes } => return row_walk(columns, bytes, care),
            Self::Touched { bytes } => {
                let mut block = Buffer::empty(bytes, 3);
                block.touch(0);
            }
        }
        Ok(started.elapsed())
    }
}

fn zeroed_blocks(count: usize, bytes: usize, touch: Touch, care: Care) -> Result<(), String> {
    // No list of blocks: it would be a block itself.
    let mut blocks: [Option<Buffer>; SETS] = [const { None }; SETS];
    for place in &mut blocks[..count] {
        let mut block = Buffer::zeroed(bytes);
        care.expect("expected zeroes", || block.holds_only(0))?;
        match touch {
            Touch::Dense => block.bytes_mut().fill(VALUE),
            Touch::Sparse => (0..TOUCHED).for_each(|at| block.bytes_mut()[at * bytes / 2] = VALUE),
        }
        *place = Some(black_box(block));
    }
    Ok(())
}

fn grow(from: usize, bytes: usize, factor: Factor, care: Care) -> Result<(), String> {
    let mut vector = Buffer::filled(from, VALUE);
    while vector.len() < bytes {
        vector.grow(factor.next(vector.len()).min(bytes), VALUE);
    }
    care.expect("expected what was written while it grew", || vector.holds_only(VALUE))
}

fn grow_between(from: usize, bytes: usize, care: Care) -> Result<(), String> {
    let mut vector = Buffer::filled(from, VALUE);
    let mut obstacles: [Option<Buffer>; 64] = [const { None }; 64];
    for place in &mut obstacles {
        if vector.len() >= bytes {
            break;
        }
        *place = Some(Buffer::filled(OBSTACLE_BYTES, DIRT));
        vector.grow((2 * vector.len()).min(bytes), VALUE);
    }
    care.expect("expected what was written while it grew", || vector.holds_only(VALUE))?;
    care.expect("expected small blocks as they were", || {
        obstacles.iter().flatten().all(|block| block.holds_only(DIRT))
    })
}

fn grow_two(from: usize, bytes: usize, care: Care) -> Result<(), String> {
    let (mut one, mut other) = (Buffer::filled(from, VALUE), Buffer::filled(from, DIRT));
    while one.len() < bytes {
        let next = (2 * one.len()).min(bytes);
        one.grow(next, VALUE);
        other.grow(next, DIRT);
    }
    care.expect("expected two vectors as written", || {
        one.holds_only(VALUE) && other.holds_only(DIRT)
    })
}

fn burst(unit: usize, care: Care) -> Result<(), String> {
    let mut blocks: [Option<Buffer>; BURST] = [const { None }; BURST];
    for (at, place) in blocks.iter_mut().enumerate() {
        *place = Some(Buffer::filled((1 + at % BURST_LENGTHS) * unit, tag(at)));
    }
    care.expect("expected every block as filled", || {
        blocks.iter().flatten().enumerate().all(|(at, block)| block.holds_only(tag(at)))
    })?;
    (0..BURST).for_each(|at| blocks[at * BURST_STEP % BURST] = None);
    Ok(())
}

fn shift(divisor: usize, care: Care) -> Result<(), String> {
    for (count, bytes) in PHASES {
        phase_of(count, bytes / divisor, care)?;
    }
    Ok(())
}

fn phase_of(count: usize, bytes: usize, care: Care) -> Result<(), String> {
    let mut blocks: [Option<Buffer>; PHASES[2].0] = [const { None }; PHASES[2].0];
    for (at, place) in blocks[..count].iter_mut().enumerate() {
        *place = Some(Buffer::filled(bytes, tag(at)));
    }
    care.expect("expected every block as filled", || {
        blocks.iter().flatten().enumerate().all(|(at, block)| block.holds_only(tag(at)))
    })
}

/// What block `at` is filled with.
pub fn tag(at: usize) -> u8 {
    u8::try_from(at % 251 + 1).unwrap_or(VALUE)
}

fn pairs(bytes: usize, count: usize) -> Duration {
    let mut neighbours: [Option<Buffer>; NEIGHBOURS] = [const { None }; NEIGHBOURS];
    for (at, place) in neighbours.iter_mut().enumerate() {
        *place = Some(Buffer::empty(bytes + at * 4 * KIB, 3));
    }
    neighbours.iter_mut().step_by(2).for_each(|place| *place = None);
    let started = Instant::now();
    (0..count).for_each(|_| drop(Buffer::empty(bytes, 3)));
    started.elapsed()
}

fn row_walk(columns: usize, bytes: usize, care: Care) -> Result<Duration, String> {
    let mut blocks: Vec<Buffer> = (0..columns).map(|_| Buffer::filled(bytes, 0)).collect();
    let mut walked: Vec<&mut [u64]> = blocks.iter_mut().map(Buffer::words_mut).collect();
    let rows = bytes / size_of::<u64>();
    let started = Instant::now();
    for row in 0..rows {
        for column in &mut walked {
            column[row] = column[row].wrapping_add(row as u64);
        }
    }
    black_box(&mut walked);
    let elapsed = started.elapsed();
    care.expect("expected each row's number in each column", || {
        walked.iter().all(|column| (0_u64..).zip(column.iter()).all(|(row, &value)| row == value))
    })?;
    Ok(elapsed)
}
