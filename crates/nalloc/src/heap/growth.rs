//! Which lengths grow, learnt from the blocks that grew before.
//!
//! A program that pushes into vectors, or collects an iterator of unknown length, does so again
//! and again, and each of its vectors passes through the same lengths. A block of such a length
//! gets a place with room for what it will become, so that it grows where it is and nothing is
//! copied. A length from which nothing grows on gets none, so that no room is left unused.
//!
//! Each size class remembers the length that one of its blocks grew to last, and a credit: more
//! for each block that grew on from it, less for each that arrived, by growth or new.

use super::bins::{CLASSES, class_of};
use crate::config::{
    GROWTH_CREDIT_MAX, GROWTH_CREDIT_MIN, GROWTH_GAIN, GROWTH_LOSS, GROWTH_STEPS_MAX,
};
use crate::units::Granules;

/// What is known of a size class.
#[derive(Clone, Copy, Debug)]
struct Growth {
    to: Granules,
    credit: u32,
}

/// A bit for each class.
type Bits = [u64; CLASSES.div_ceil(64)];

fn has(bits: &Bits, class: usize) -> bool {
    bits[class / 64] >> (class % 64) & 1 == 1
}

fn set(bits: &mut Bits, class: usize, is_set: bool) {
    let bit = 1 << (class % 64);
    let word = &mut bits[class / 64];
    *word = if is_set { *word | bit } else { *word & !bit };
}

/// What is known of all lengths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growths {
    known: [Growth; CLASSES],
    /// Which classes have credit. Most calls read nothing but these bits.
    has_credit: Bits,
    /// In which classes a block was.
    is_seen: Bits,
    /// In which of them another one arrived while there was no credit.
    is_final: Bits,
}

impl Growths {
    pub(super) const NONE: Self = Self {
        known: [Growth { to: Granules::ZERO, credit: 0 }; CLASSES],
        has_credit: [0; CLASSES.div_ceil(64)],
        is_seen: [0; CLASSES.div_ceil(64)],
        is_final: [0; CLASSES.div_ceil(64)],
    };

    /// How long a new block of `len` granules will probably be; if nothing is known, as long as it
    /// is, or twice that if it has grown.
    pub(super) fn room(&self, len: Granules, has_grown: bool) -> Granules {
        let last = self.last(len, GROWTH_CREDIT_MIN);
        let is_double = has_grown && last == len && !self.is_known(len);
        if is_double { Granules(len.0.saturating_mul(2)) } else { last }
    }

    /// How much more a block of `len` granules that has grown will probably need: as much again if
    /// nothing is known.
    pub(super) fn more(&self, len: Granules) -> Granules {
        // What its own arrival took is not held against it.
        let last = self.last(len, GROWTH_CREDIT_MIN - GROWTH_LOSS);
        if last > len || self.is_known(len) { last - len } else { len }
    }

    /// How long a block of `len` granules may become: as long as one ever did. Good enough to
    /// choose between two places, where a wrong guess costs nothing.
    pub(super) fn longest(&self, len: Granules) -> Granules {
        let mut last = len;
        for _ in 0..GROWTH_STEPS_MAX {
            let to = self.known[class_of(last)].to;
            if to <= last {
                break;
            }
            last = to;
        }
        last
    }

    fn is_known(&self, len: Granules) -> bool {
        let class = class_of(len);
        has(&self.is_final, class) || has(&self.has_credit, class)
    }

    fn last(&self, len: Granules, credit_min: u32) -> Granules {
        let (mut last, mut credit_min) = (len, credit_min);
        for _ in 0..GROWTH_STEPS_MAX {
            let class = class_of(last);
            if !has(&self.has_credit, class) {
                break;
            }
            let growth = self.known[class];
            if growth.credit < credit_min || growth.to <= last {
                break;
            }
            (last, credit_min) = (growth.to, GROWTH_CREDIT_MIN);
        }
        last
    }

    /// Notes that there is one block more of `len` granules.
    pub(super) fn arrived(&mut self, len: Granules) {
        let class = class_of(len);
        if has(&self.has_credit, class) {
            let growth = &mut self.known[class];
            growth.credit = growth.credit.saturating_sub(GROWTH_LOSS);
            set(&mut self.has_credit, class, growth.credit > 0);
        } else if !has(&self.is_seen, class) {
            set(&mut self.is_seen, class, true);
        } else if !has(&self.is_final, class) {
            set(&mut self.is_final, class, true);
        }
    }

    /// Notes that a block of `len` granules grows to `to`.
    pub(super) fn grew(&mut self, len: Granules, to: Granules) {
        let class = class_of(len);
        let growth = &mut self.known[class];
        growth.credit = (growth.credit + GROWTH_GAIN).min(GROWTH_CREDIT_MAX);
        // Where a block begins in its first granule decides whether it needs one more.
        let is_same = growth.to.0.abs_diff(to.0) <= 1;
        growth.to = if is_same { to.max(growth.to) } else { to };
        set(&mut self.has_credit, class, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: Granules = Granules(20);
    const LONG: Granules = Granules(40);

    #[test]
    fn a_length_leads_to_the_end_of_its_growth() {
        let mut growths = Growths::NONE;
        for (len, to) in [(20, 40), (40, 80), (80, 160), (500, 400)].repeat(2) {
            growths.grew(Granules(len), Granules(to));
        }
        let rooms = [10, 20, 40, 160, 500].map(|len| growths.room(Granules(len), false).0);
        assert_eq!(rooms, [10, 160, 160, 160, 500]);
    }

    #[test]
    fn room_is_enough_wherever_in_its_first_granule_a_block_begins() {
        let mut growths = Growths::NONE;
        for more in [0, 1, 0, 0] {
            growths.grew(LEN, LONG + Granules(more));
        }
        assert_eq!(growths.room(LEN, false), LONG + Granules(1));
        growths.grew(LEN, Granules(35));
        assert_eq!(growths.room(LEN, false), Granules(35));
    }

    #[test]
    fn what_a_length_may_become_is_not_forgotten() {
        let mut growths = Growths::NONE;
        growths.grew(LEN, LONG);
        growths.grew(LONG, Granules(80));
        (0..100).for_each(|_| growths.arrived(LONG));
        assert_eq!([LEN, LONG, Granules(80)].map(|len| growths.longest(len).0), [80; 3]);
        assert_eq!(growths.room(LONG, false), LONG);
    }

    #[test]
    fn a_length_that_stops_growing_is_forgotten() {
        let mut growths = Growths::NONE;
        for _ in 0..100 {
            growths.arrived(LEN);
            growths.grew(LEN, LONG);
        }
        let trusted = (0..100).take_while(|_| {
            let is_trusted = growths.room(LEN, false) == LONG;
            growths.arrived(LEN);
            is_trusted
        });
        assert_eq!(trusted.count(), 3);
    }

    #[test]
    fn a_length_from_which_every_second_block_grows_is_not_trusted_for_long() {
        let mut growths = Growths::NONE;
        let trusted = (0..1000).filter(|turn| {
            let is_trusted = growths.room(LEN, false) == LONG;
            growths.arrived(LEN);
            if turn % 2 == 0 {
                growths.grew(LEN, LONG);
            }
            is_trusted
        });
        assert_eq!(trusted.count(), 0);
    }

    #[test]
    fn a_block_that_grew_gets_as_much_again_until_its_length_is_known() {
        let mut growths = Growths::NONE;
        for _ in 0..2 {
            assert_eq!(growths.room(LEN, true), LONG);
            growths.arrived(LEN);
        }
        assert_eq!(growths.room(LEN, true), LEN);
        for _ in 0..2 {
            growths.grew(LEN, LONG);
        }
        assert_eq!(growths.room(LEN, true), LONG);
    }
}
