//! Square roots, for points that are written as one coordinate and a sign.
//!
//! q is 3 modulo 4, so a^((q + 1) / 4) squared is a or -a. In Fq2 the complex method: where
//! (x + y u)^2 = a + b u, the norm a^2 + b^2 is the square of x^2 + y^2, so
//!
//! ```text
//! x^2 = (a + n) / 2 or (a - n) / 2 with n^2 = a^2 + b^2,    y = b / 2x
//! ```
//!
//! (Adj and Rodriguez-Henriquez, Square root computation over even extension fields, 2012,
//! algorithm 8, after Scott.) Three powers in Fq at most, of some 250 squarings and 120 products
//! each. Time depends on the value: points are public.

use super::{Field, Fq, Fq2};

/// (q + 1) / 4.
const EXPONENT: [u64; 4] = {
    let mut quarter = [0; 4];
    let mut at = 0;
    while at < 4 {
        let above = if at < 3 { Fq::MODULUS[at + 1] } else { 0 };
        quarter[at] = Fq::MODULUS[at] >> 2 | above << 62;
        at += 1;
    }
    // q ends in binary 11, so its quarter is rounded down by 3/4; the lowest limb has room for one.
    quarter[0] += 1;
    quarter
};
const _: () = assert!(Fq::MODULUS[0] & 3 == 3, "the exponent is that of a prime 3 modulo 4");

impl Fq {
    /// A square root, or none where there is none. The other root is its opposite.
    #[must_use]
    pub fn sqrt_vartime(self) -> Option<Self> {
        let root = self.pow(&EXPONENT);
        (root.square() == self).then_some(root)
    }
}

impl Fq2 {
    /// As [`Fq::sqrt_vartime`].
    #[must_use]
    pub fn sqrt_vartime(self) -> Option<Self> {
        let Self { c0: a, c1: b } = self;
        if b.is_zero() {
            // -1 is no square in Fq, so either a or -a is one.
            let real = a.sqrt_vartime().map(|root| Self::new(root, Fq::ZERO));
            return real.or_else(|| (-a).sqrt_vartime().map(|root| Self::new(Fq::ZERO, root)));
        }
        let n = (a.square() + b.square()).sqrt_vartime()?;
        let half = Fq::from_u64(2).invert_vartime()?;
        let x = ((a + n) * half).sqrt_vartime().or_else(|| ((a - n) * half).sqrt_vartime())?;
        // x is zero only where b is.
        let root = Self::new(x, b * half * x.invert_vartime()?);
        (root.square() == self).then_some(root)
    }
}
