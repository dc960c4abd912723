//! Halves of scalars, and their digits, eight scalars at a time.
//!
//! `msm/glv.rs` has the numbers and why they are right; here they stand in limbs of 52 bits. A
//! quotient is the top of a product of 15 multiply-adds and as many again; of the products that are
//! taken off only the low 156 bits are made, which hold a half and its sign.

use super::constants::MASK;
use super::lanes::{ELEMENT_OF_LANE, Elements, Kernel, LANES, Lanes};
use super::value::{Lazy, mask};
use crate::msm::digits::Digits;

/// round(N22 2^260 / r), round(N12 2^260 / r).
const G1: [u64; 3] = [0xf_d030_0ff6_5651, 0x4_a773_d2d2_5398, 0x24cc_ef01];
const G2: [u64; 3] = [0x2_32ec_7e0b_3d77, 0x2_d91d, 0];
const N11: [u64; 3] = split(0x6f4d_8248_eeb8_59fc_8211_bbeb_7d4f_1128);
const N12: [u64; 3] = split(0x89d3_2568_94d2_13e3);
const N22: [u64; 3] = split(0x6f4d_8248_eeb8_59fd_0be4_e154_1221_250b);

const fn split(x: u128) -> [u64; 3] {
    [x as u64 & MASK, (x >> 52) as u64 & MASK, (x >> 104) as u64]
}

/// Writes the digits of the halves of scalars below r.
pub(crate) struct RecodeHalves<'a> {
    pub(crate) scalars: &'a [Elements],
    /// Bits of a window.
    pub(crate) bits: u32,
    /// How many windows there are.
    pub(crate) windows: usize,
    /// What is added to a half: half a window in every window but the last.
    pub(crate) bias: u128,
    /// Of each window, `stride` apart, those of all scalars.
    pub(crate) digits: &'a mut [Digits],
    pub(crate) stride: usize,
}

impl Kernel for RecodeHalves<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let bias = split(self.bias).map(|limb| l.splat(limb));
        let window = l.splat((1 << self.bits) - 1);
        let half = l.splat(1 << (self.bits - 1));
        for (index, scalars) in self.scalars.iter().enumerate() {
            let [mut k1, mut k2] = halves(l, l.load_elements(scalars), &bias);
            for at in 0..self.windows {
                let [mut d1, mut d2] = [k1[0], k2[0]];
                if at + 1 < self.windows {
                    d1 = l.sub(l.and(d1, window), half);
                    d2 = l.sub(l.and(d2, window), half);
                }
                let mut words = [0; LANES];
                l.store(l.masked_or(d1, l.splat(0xffff), l.shl::<16>(d2)), &mut words);
                let start = at * self.stride + index * LANES;
                let digits = &mut self.digits[start..start + LANES];
                for (word, element) in words.into_iter().zip(ELEMENT_OF_LANE) {
                    digits[element] =
                        Digits([word as u16, (word >> 16) as u16].map(u16::cast_signed));
                }
                (k1, k2) = (shifted(l, k1, self.bits), shifted(l, k2, self.bits));
            }
        }
    }
}

/// Two words, signed, shifted right by less than 64 bits.
#[inline(always)]
fn shifted<L: Lanes>(l: L, [low, high]: [L::Word; 2], bits: u32) -> [L::Word; 2] {
    let all = l.splat(u64::MAX);
    let low = l.masked_or(l.shl_by(high, 64 - bits), all, l.shr_by(low, bits));
    [low, l.sar_by(high, bits)]
}

/// Both halves plus the bias, as signed numbers of two words.
#[inline(always)]
fn halves<L: Lanes>(l: L, scalars: [L::Word; 4], bias: &[L::Word; 3]) -> [[L::Word; 2]; 2] {
    let k = mask(l, &Lazy::unpack(l, scalars).0);
    let (b1, b2) = (rounded_product(l, &k, &G1), rounded_product(l, &k, &G2));
    let (p, q) = (low_product(l, &b1, &N11), low_product(l, &b2, &N12));
    let (u, v) = (low_product(l, &b1, &N12), low_product(l, &b2, &N22));
    let (mut k1, mut k2) = (p, u);
    for i in 0..3 {
        k1[i] = l.sub(l.add(k[i], bias[i]), l.add(p[i], q[i]));
        k2[i] = l.add(l.sub(u[i], v[i]), bias[i]);
    }
    [words(l, &k1), words(l, &k2)]
}

/// (k g + 2^259) / 2^260, limbs normalised.
#[inline(always)]
fn rounded_product<L: Lanes>(l: L, k: &[L::Word; 5], g: &[u64; 3]) -> [L::Word; 3] {
    let mut t = [l.splat(0); 8];
    t[4] = l.splat(1 << 51);
    for i in 0..5 {
        for j in 0..3 {
            t[i + j] = l.madd_low(t[i + j], k[i], l.splat(g[j]));
            t[i + j + 1] = l.madd_high(t[i + j + 1], k[i], l.splat(g[j]));
        }
    }
    for i in 0..7 {
        t[i + 1] = l.add(t[i + 1], l.shr::<52>(t[i]));
    }
    let low = l.splat(MASK);
    [l.and(t[5], low), l.and(t[6], low), t[7]]
}

/// a b modulo 2^156, columns not carried.
#[inline(always)]
fn low_product<L: Lanes>(l: L, a: &[L::Word; 3], b: &[u64; 3]) -> [L::Word; 3] {
    let mut t = [l.splat(0); 4];
    for i in 0..3 {
        for j in 0..3 - i {
            t[i + j] = l.madd_low(t[i + j], a[i], l.splat(b[j]));
            t[i + j + 1] = l.madd_high(t[i + j + 1], a[i], l.splat(b[j]));
        }
    }
    [t[0], t[1], t[2]]
}

/// Signed columns of a number that fits two signed words.
#[inline(always)]
fn words<L: Lanes>(l: L, c: &[L::Word; 3]) -> [L::Word; 2] {
    let (low, all) = (l.splat(MASK), l.splat(u64::MAX));
    let c1 = l.add(c[1], l.sar::<52>(c[0]));
    let c2 = l.add(c[2], l.sar::<52>(c1));
    let c1 = l.and(c1, low);
    let first = l.masked_or(c[0], low, l.shl::<52>(c1));
    [first, l.masked_or(l.shr::<12>(c1), all, l.shl::<40>(c2))]
}
