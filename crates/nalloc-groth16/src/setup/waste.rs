//! The secrets of the setup for development, which are none: everybody can compute them.

use nalloc_bn254::field::batch_invert;
use nalloc_bn254::file::index;
use nalloc_bn254::{Field, Fr};
use sha2::{Digest, Sha512};

/// What the secrets are made of.
const NAME: &str = "nalloc setup --unsafe-dev";
/// The largest order of a root of unity.
const LOG2_MAX: u32 = 28;

/// tau, alpha and beta; gamma and delta are 1.
pub(super) struct Waste {
    pub(super) tau: Fr,
    pub(super) alpha: Fr,
    pub(super) beta: Fr,
}

impl Waste {
    /// Always the same.
    pub(super) fn known() -> Self {
        let [tau, alpha, beta] = ["tau", "alpha", "beta"].map(secret);
        debug_assert!(tau.pow(&[1 << LOG2_MAX]) != Fr::ONE, "tau is a point of a domain");
        Self { tau, alpha, beta }
    }
}

/// SHA-512 of `NAME/what` as a big-endian number, modulo r.
fn secret(what: &str) -> Fr {
    let bits = Fr::from_u64(256);
    let digest = Sha512::digest(format!("{NAME}/{what}").as_bytes());
    digest.iter().fold(Fr::ZERO, |sum, &byte| sum * bits + Fr::from_u64(byte.into()))
}

/// Lagrange polynomials of a domain at tau: those of the points root^(first + step i).
pub(super) struct Lagrange {
    tau: Fr,
    /// (tau^n - 1) / n for the n points of the domain.
    scale: Fr,
    root: Fr,
    first: u64,
    step: u64,
}

impl Lagrange {
    /// Of all points of the domain of 2^`log2`.
    pub(super) fn all(tau: Fr, log2: u32) -> Self {
        Self::new(tau, log2, (0, 1))
    }

    /// Of the odd points of the domain of 2^`log2`.
    pub(super) fn odd(tau: Fr, log2: u32) -> Self {
        Self::new(tau, log2, (1, 2))
    }

    fn new(tau: Fr, log2: u32, (first, step): (u64, u64)) -> Self {
        let size = 1_u64 << log2;
        // Domains of more than 2^28 points were refused, and 2^log2 is not zero modulo r.
        let root = Fr::root_of_unity(log2).unwrap_or(Fr::ONE);
        let size_inverse = Fr::from_u64(size).invert().unwrap_or(Fr::ZERO);
        Self { tau, scale: (tau.pow(&[size]) - Fr::ONE) * size_inverse, root, first, step }
    }

    /// Writes those from number `start` on.
    pub(super) fn write(&self, start: u32, out: &mut [Fr]) {
        let start = self.first + self.step * u64::from(start);
        let first = self.root.pow(&[start]);
        let ratio = self.root.pow(&[self.step]);
        let points = || core::iter::successors(Some(first), |&point| Some(point * ratio));
        for (out, point) in out.iter_mut().zip(points()) {
            *out = self.tau - point;
        }
        batch_invert(out);
        for (out, point) in out.iter_mut().zip(points()) {
            *out *= self.scale * point;
        }
    }
}

/// The values of Lagrange polynomials, of which a run is in memory.
pub(super) struct Run {
    lagrange: Lagrange,
    start: u32,
    values: Vec<Fr>,
}

/// Values in memory at once.
const RUN_LEN: u32 = 4096;

impl Run {
    pub(super) fn new(lagrange: Lagrange) -> Self {
        Self { lagrange, start: 0, values: Vec::new() }
    }

    /// The value of number `row`; rows are asked for in ascending order.
    pub(super) fn at(&mut self, row: u32) -> Fr {
        let start = row / RUN_LEN * RUN_LEN;
        if self.values.is_empty() || start != self.start {
            self.start = start;
            self.values.resize(index(RUN_LEN), Fr::ZERO);
            self.lagrange.write(start, &mut self.values);
        }
        self.values[index(row - start)]
    }
}
