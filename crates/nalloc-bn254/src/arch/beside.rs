//! What a kernel does between the rows of its products.
//!
//! A product keeps the multipliers busy for 50 cycles; what leads to it and away from it (shuffles,
//! shifts, carries that wait for each other) hardly needs them. But a CPU looks only some 200
//! vector instructions ahead, and two products have that many: one after the other, a product of
//! eight took 81 cycles with its loads and stores. So the source says what runs side by side: while
//! a pair is multiplied, the pair before it is carried, packed and stored, and the next one is
//! loaded, in ten slices, two for each row. That takes 60 cycles (2-core Zen 5, 2026-11-21).

use core::marker::PhantomData;

use super::constants::Constants;
use super::lanes::{Elements, Lanes};
use super::value::{Below, Columns, Lazy, Limbs, mask, splat};
use crate::field::Modulus;

/// Work in ten slices, which run in their order.
pub(crate) trait Beside<L: Lanes> {
    /// Slice `index`, 0 to 9, a literal. What it computes is pinned to `pin`, a word of the
    /// product. Implementations are `#[inline(always)]`.
    fn slice(&mut self, l: L, index: usize, pin: &mut L::Word);
}

/// No work.
pub(super) struct Nothing;

impl<L: Lanes> Beside<L> for Nothing {
    #[inline(always)]
    fn slice(&mut self, _: L, _: usize, _: &mut L::Word) {}
}

/// Carries limbs 0 and 1.
#[inline(always)]
fn carry_low<L: Lanes>(l: L, t: &mut Limbs<L>) {
    t[1] = l.add(t[1], l.sar::<52>(t[0]));
    t[2] = l.add(t[2], l.sar::<52>(t[1]));
}

/// Carries limbs 2 and 3.
#[inline(always)]
fn carry_high<L: Lanes>(l: L, t: &mut Limbs<L>) {
    t[3] = l.add(t[3], l.sar::<52>(t[2]));
    t[4] = l.add(t[4], l.sar::<52>(t[3]));
}

/// Two values below 2p on their way to memory, in slices 0 to 3.
pub(super) struct Carrying<L: Lanes, M>([Limbs<L>; 2], PhantomData<M>);

impl<L: Lanes, M: Modulus> Carrying<L, M> {
    #[inline(always)]
    pub(super) fn new(z: &[Columns<L>; 2]) -> Self {
        Self([z[0].0, z[1].0], PhantomData)
    }

    /// Slices 0 and 1.
    #[inline(always)]
    pub(super) fn slice(&mut self, l: L, index: usize, pin: &mut L::Word) {
        for t in &mut self.0 {
            if index == 0 {
                carry_low(l, t);
                l.pin(pin, &mut t[2]);
            } else {
                carry_high(l, t);
                l.pin(pin, &mut t[4]);
            }
        }
    }

    /// After slices 0 and 1: value `k`, to be stored.
    #[inline(always)]
    pub(super) fn packed(&self, l: L, k: usize) -> [L::Word; 4] {
        if cfg!(debug_assertions) {
            Below::<L, M, 2>::new(l, mask(l, &self.0[k]));
        }
        Lazy(self.0[k]).pack(l)
    }
}

/// Two values in [-p, p) on their way to canonical elements in memory, in slices 0 to 5.
pub(super) struct Settling<L: Lanes, M> {
    values: [Limbs<L>; 2],
    carried: [Limbs<L>; 2],
    modulus: PhantomData<M>,
}

impl<L: Lanes, M: Modulus> Settling<L, M> {
    #[inline(always)]
    pub(super) fn new(z: &[Columns<L>; 2]) -> Self {
        let values = [z[0].0, z[1].0];
        Self { values, carried: values, modulus: PhantomData }
    }

    /// Slices 0 to 4: carries a copy for its sign, adds p where that is negative, and carries.
    #[inline(always)]
    pub(super) fn slice(&mut self, l: L, index: usize, pin: &mut L::Word) {
        let p = splat(l, &Constants::<M>::P);
        for k in 0..2 {
            let (value, carried) = (&mut self.values[k], &mut self.carried[k]);
            match index {
                0 => {
                    carry_low(l, carried);
                    l.pin(pin, &mut carried[2]);
                }
                1 => {
                    carry_high(l, carried);
                    l.pin(pin, &mut carried[4]);
                }
                2 => {
                    let sign = carried[4];
                    value[0] = l.add_where_negative(sign, value[0], p[0]);
                    value[1] = l.add_where_negative(sign, value[1], p[1]);
                    value[2] = l.add_where_negative(sign, value[2], p[2]);
                    value[3] = l.add_where_negative(sign, value[3], p[3]);
                    value[4] = l.add_where_negative(sign, value[4], p[4]);
                    l.pin(pin, &mut value[1]);
                }
                3 => {
                    carry_low(l, value);
                    l.pin(pin, &mut value[2]);
                }
                _ => {
                    carry_high(l, value);
                    l.pin(pin, &mut value[4]);
                }
            }
        }
    }

    /// Slice 5, the last one.
    #[inline(always)]
    pub(super) fn store(&self, l: L, to: &mut [Elements; 2]) {
        for k in 0..2 {
            if cfg!(debug_assertions) {
                Below::<L, M, 1>::new(l, mask(l, &self.values[k]));
            }
            l.store_elements(Lazy(self.values[k]).pack(l), &mut to[k]);
        }
    }

    /// All slices at once.
    #[inline(always)]
    pub(super) fn finish(mut self, l: L, to: &mut [Elements; 2]) {
        let mut pin = l.splat(0);
        self.slice(l, 0, &mut pin);
        self.slice(l, 1, &mut pin);
        self.slice(l, 2, &mut pin);
        self.slice(l, 3, &mut pin);
        self.slice(l, 4, &mut pin);
        self.store(l, to);
    }
}

impl<L: Lanes> Lazy<L> {
    /// The same, loaded before what uses `pin`.
    #[inline(always)]
    pub(super) fn pinned(mut self, l: L, pin: &mut L::Word) -> Self {
        l.pin(pin, &mut self.0[1]);
        l.pin(pin, &mut self.0[3]);
        self
    }
}
