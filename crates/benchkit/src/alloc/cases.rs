//! The patterns of `bench:alloc`, and what ours must reach in each.
//!
//! "1.0x" means: the ratio of minima is at most 1.03 and that of medians at most 1.05, each against
//! the tuned peer that is best in it. Where less or more is asked, both ratios must reach it.

use super::work::{Factor, KIB, MIB, Part, SETS, SHIFT_LIVE_BYTES, Touch, Work};
use crate::format::length;

/// The groups, in the order in which they are printed.
pub const GROUPS: [&str; 6] = [
    "A block allocated, filled and freed every round",
    "Memory that must be zero where another block was written",
    "Growth, all of it written",
    "Many blocks of many sizes",
    "Threads",
    "Nanoseconds: a pair of alloc and free; columns walked row by row, whose sets may collide",
];

const SAME: Must = Must::Time { minima: 1.03, medians: 1.05 };

/// Which thread does it: its heap may be another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Main,
    Worker,
}

/// What a figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds of a run.
    Ms,
    /// Nanoseconds of one of so many things that a run does.
    NsEach(usize),
}

impl Unit {
    /// As tables and records name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ms => "ms",
            Self::NsEach(_) => "ns",
        }
    }
}

/// What ours must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Must {
    /// At most so many times what the best tuned peer takes.
    Time { minima: f64, medians: f64 },
    /// At most so many of the case's unit, in the median.
    TimeBelow(f64),
    /// At most so many page faults per run.
    Faults(u64),
    /// At most so many times what is live, at the peak.
    PeakOfLive(f64),
    /// At most so many times the peak of the best tuned peer.
    PeakOfBest(f64),
    /// At most the peak of the better of the two ways to tune glibc.
    PeakOfGlibc,
}

/// At most so many times the best, in minima and in medians.
const fn times(ratio: f64) -> Must {
    Must::Time { minima: ratio, medians: ratio }
}

/// A pattern with its sizes.
#[derive(Clone, Debug)]
pub struct Case {
    /// Of [`GROUPS`].
    pub group: usize,
    /// What is printed.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// On which thread.
    pub place: Place,
    /// How often per round, so that a round takes milliseconds.
    pub repetitions: u32,
    /// What its figures are of.
    pub unit: Unit,
    /// Bytes that are live at once.
    pub live_bytes: u64,
    /// What ours must reach.
    pub musts: Vec<Must>,
}

impl Case {
    /// What a worker is asked for: a word.
    pub fn id(&self) -> String {
        self.name.replace([' ', ',', '(', ')', ':'], "-").replace("--", "-")
    }
}

/// All of them, sizes divided.
pub fn cases(divisor: usize) -> Vec<Case> {
    let mut list = List { divisor, cases: Vec::new() };
    list.fills();
    list.zeroed();
    list.growth();
    list.sizes();
    list.threads();
    list.nanoseconds();
    list.cases
}

struct List {
    divisor: usize,
    cases: Vec<Case>,
}

impl List {
    fn add(&mut self, group: usize, name: &str, live: usize, work: Work, musts: &[Must]) {
        self.cases.push(Case {
            group,
            name: name.to_owned(),
            work,
            place: Place::Main,
            repetitions: 1,
            unit: Unit::Ms,
            live_bytes: live as u64,
            musts: musts.to_vec(),
        });
    }

    fn last(&mut self) -> &mut Case {
        self.cases.last_mut().expect("a case was added")
    }

    /// The last case again, on a thread of its own.
    fn again_on_worker(&mut self) {
        let mut case = self.last().clone();
        case.place = Place::Worker;
        case.name += ", worker";
        self.cases.push(case);
    }

    fn fills(&mut self) {
        for (mib, repetitions) in [(8, 32), (64, 4), (512, 1), (2048, 1)] {
            let bytes = mib * MIB / self.divisor;
            let name = format!("fill {}", length(bytes as u64));
            self.add(0, &name, bytes, Work::Fill { bytes }, &[SAME, Must::Faults(0)]);
            self.last().repetitions = repetitions;
            self.again_on_worker();
        }
    }

    fn zeroed(&mut self) {
        let bytes = 64 * MIB / self.divisor;
        let size = length(bytes as u64);
        let buckets = 6_000_000 / self.divisor;
        let each = format!("{SETS} x {} KB", buckets / 1000);
        for (count, bytes, dirty_bytes, name, [call, round]) in [
            (1, bytes, bytes, format!("zeroed {size}"), [0.1, 0.85]),
            (SETS, buckets, 96 * MIB / self.divisor, format!("zeroed {each}"), [0.15, 0.7]),
        ] {
            let live = (count * bytes).max(dirty_bytes);
            for (what, touch, part, most) in [
                ("dense", Touch::Dense, Part::Call, 1.05),
                ("sparse call", Touch::Sparse, Part::Call, call),
                ("sparse round", Touch::Sparse, Part::Round, round),
            ] {
                let work = Work::Zeroed { count, bytes, dirty_bytes, touch, part };
                self.add(1, &format!("{name}, {what}"), live, work, &[times(most)]);
                // Enough calls before the first round that counts for an allocator to learn.
                self.last().repetitions = 8;
            }
        }
    }

    fn growth(&mut self) {
        let (from, bytes) = (MIB / self.divisor.min(8), 512 * MIB / self.divisor);
        let size = length(bytes as u64);
        for (by, factor) in [("2", Factor::Two), ("1.5", Factor::OneAndAHalf)] {
            let work = Work::Grow { from, bytes, factor };
            let name = format!("growth to {size} by {by}");
            self.add(2, &name, bytes, work, &[SAME, Must::PeakOfGlibc]);
        }
        let work = Work::GrowBetween { from, bytes };
        self.add(2, "growth between blocks", bytes, work, &[times(1.1), Must::PeakOfGlibc]);
        let work = Work::GrowTwo { from, bytes: bytes / 2 };
        self.add(2, "growth of two vectors", bytes, work, &[SAME, Must::PeakOfGlibc]);
    }

    fn sizes(&mut self) {
        let unit = MIB / self.divisor.min(8);
        self.add(3, "burst of 96", 624 * unit, Work::Burst { unit }, &[SAME]);
        self.again_on_worker();
        let live = SHIFT_LIVE_BYTES / self.divisor;
        let musts = [SAME, Must::PeakOfLive(1.03)];
        self.add(3, "class shift", live, Work::Shift { divisor: self.divisor }, &musts);
        self.again_on_worker();
    }

    fn threads(&mut self) {
        let bytes = 64 * MIB / self.divisor;
        let work = Work::ThreadsFill { threads: 16, bytes };
        let musts = [SAME, Must::PeakOfBest(1.1)];
        self.add(4, &format!("16 threads x {}", length(bytes as u64)), 16 * bytes, work, &musts);
        let work = Work::ThreadsMix { threads: 16, blocks: 400 / self.divisor };
        self.add(4, "16 threads, freed elsewhere", 500 * MIB, work, &musts);
        let work = Work::ThreadsGrow { threads: 10 };
        let musts = [times(1.1), Must::Faults(4 * 10)];
        self.add(4, "10 new threads grow", 200 * MIB, work, &musts);
    }

    fn nanoseconds(&mut self) {
        let count = 8000;
        let work = Work::Pairs { bytes: 64 * KIB, count };
        self.add(5, "pair of 64 KB", 20 * MIB, work, &[Must::TimeBelow(60.0)]);
        self.last().unit = Unit::NsEach(count);
        for (columns, kib) in [(16, 256), (64, 256), (32, 2048), (64, 8192)] {
            let bytes = kib * KIB / self.divisor.min(8);
            let work = Work::RowWalk { columns, bytes };
            let name = format!("walk {columns} x {}", length(bytes as u64));
            self.add(5, &name, columns * bytes, work, &[times(1.6)]);
            let elements = columns * bytes / size_of::<u64>();
            self.last().unit = Unit::NsEach(elements);
            self.last().repetitions = u32::try_from((1 << 22) / elements).unwrap_or(1).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_case_has_a_word_of_its_own_and_something_to_reach() {
        for divisor in [1, 32] {
            let cases = cases(divisor);
            let ids: BTreeSet<String> = cases.iter().map(Case::id).collect();
            assert_eq!(ids.len(), cases.len(), "{ids:?}");
            assert!(ids.iter().all(|id| !id.contains(' ')), "{ids:?}");
            assert!(cases.iter().all(|case| case.group < GROUPS.len() && !case.musts.is_empty()));
        }
    }
}
