//! A Groth16 setup from known toxic waste: the points of a key, each from its definition.

use nalloc_bn254::curve::{CurveField, batch_to_affine};
use nalloc_bn254::field::batch_invert;
use nalloc_bn254::{Affine, Field, Fq, Fq2, Fr, G1Affine, G2Affine, Jacobian};
use sha2::{Digest, Sha512};

use crate::circuit::{Circuit, Combination, count};

/// One record of section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coefficient {
    /// 0 for A, 1 for B.
    pub matrix: u32,
    /// The constraint.
    pub row: u32,
    /// The wire.
    pub signal: u32,
    /// The factor.
    pub value: Fr,
}

/// Everything that a key says about a circuit.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Wires, the constant one included.
    pub n_vars: u32,
    /// Outputs and public inputs.
    pub n_public: u32,
    /// Points of the domain.
    pub domain_size: u32,
    /// The matrices A and B.
    pub coefficients: Vec<Coefficient>,
    /// alpha in G1.
    pub alpha1: G1Affine,
    /// beta in G1.
    pub beta1: G1Affine,
    /// beta in G2.
    pub beta2: G2Affine,
    /// gamma in G2.
    pub gamma2: G2Affine,
    /// delta in G1.
    pub delta1: G1Affine,
    /// delta in G2.
    pub delta2: G2Affine,
    /// Section 3.
    pub ic: Vec<G1Affine>,
    /// Section 5.
    pub a: Vec<G1Affine>,
    /// Section 6.
    pub b1: Vec<G1Affine>,
    /// Section 7.
    pub b2: Vec<G2Affine>,
    /// Section 8.
    pub l: Vec<G1Affine>,
    /// Section 9.
    pub h: Vec<G1Affine>,
}

/// The secrets of a setup.
#[derive(Clone, Copy, Debug)]
pub struct Waste {
    /// The point at which polynomials are taken.
    pub tau: Fr,
    /// The factor of v.
    pub alpha: Fr,
    /// The factor of u.
    pub beta: Fr,
    /// The divisor of points of public wires.
    pub gamma: Fr,
    /// The divisor of points of the others.
    pub delta: Fr,
}

/// A circuit's polynomials at tau, for each wire.
struct Columns {
    u: Vec<Fr>,
    v: Vec<Fr>,
    k: Vec<Fr>,
}

impl Setup {
    /// The key of a circuit: always the same for the same circuit.
    ///
    /// # Panics
    /// When the circuit's wires do not satisfy it.
    #[must_use]
    pub fn new(circuit: &Circuit) -> Self {
        let [tau, alpha, beta, gamma, delta] =
            ["tau", "alpha", "beta", "gamma", "delta"].map(|what| toxic(circuit.name, what));
        Self::of_waste(circuit, Waste { tau, alpha, beta, gamma, delta })
    }

    /// The key of a circuit that these secrets make.
    ///
    /// # Panics
    /// When the circuit's wires do not satisfy it.
    #[must_use]
    pub fn of_waste(circuit: &Circuit, waste: Waste) -> Self {
        assert_eq!(circuit.first_unsatisfied(), None, "{}", circuit.name);
        let Waste { tau, alpha, beta, gamma, delta } = waste;
        let n_public = count(circuit.n_public);
        let log2 = (circuit.constraints.len() + n_public).max(1).ilog2() + 1;
        let (columns, mut coefficients) = columns(circuit, &lagrange(tau, log2));
        if circuit.layout.is_split {
            split_first_five(&mut coefficients);
        }
        let combined =
            |wire: usize| beta * columns.u[wire] + alpha * columns.v[wire] + columns.k[wire];
        let [per_gamma, per_delta] = [gamma, delta].map(inverse);
        let (g1, g2) = (FixedBase::<Fq>::new(), FixedBase::<Fq2>::new());
        let ic = (0..=n_public).map(|wire| combined(wire) * per_gamma);
        let l = (n_public + 1..circuit.wires.len()).map(|wire| combined(wire) * per_delta);
        let odd = lagrange(tau, log2 + 1).into_iter().skip(1).step_by(2);
        let h = odd.map(|value| value * per_delta);
        Self {
            n_vars: u32::try_from(circuit.wires.len()).unwrap_or(u32::MAX),
            n_public: circuit.n_public,
            domain_size: 1 << log2,
            coefficients,
            alpha1: g1.one(alpha),
            beta1: g1.one(beta),
            beta2: g2.one(beta),
            gamma2: g2.one(gamma),
            delta1: g1.one(delta),
            delta2: g2.one(delta),
            ic: g1.many(ic),
            a: g1.many(columns.u.iter().copied()),
            b1: g1.many(columns.v.iter().copied()),
            b2: g2.many(columns.v.iter().copied()),
            l: g1.many(l),
            h: g1.many(h),
        }
    }
}

/// SHA-512 of `name/what` modulo r - 2, plus 2.
fn toxic(name: &str, what: &str) -> Fr {
    let mut modulus = Fr::MODULUS;
    modulus[0] -= 2;
    let mut rest = [0; 4];
    for byte in Sha512::digest(format!("{name}/{what}").as_bytes()) {
        for bit in (0..8).rev() {
            // The rest is below 2^254, so twice of it fits.
            let carries = [byte >> bit & 1, 0, 0, 0].map(u64::from);
            let doubled = [
                rest[0] << 1 | carries[0],
                rest[1] << 1 | rest[0] >> 63,
                rest[2] << 1 | rest[1] >> 63,
                rest[3] << 1 | rest[2] >> 63,
            ];
            rest = reduced_once(doubled, &modulus);
        }
    }
    Fr::from_plain(rest).expect("a number below r") + Fr::from_u64(2)
}

/// `number` minus `modulus`, unless that is negative.
fn reduced_once(number: [u64; 4], modulus: &[u64; 4]) -> [u64; 4] {
    let (mut difference, mut borrow) = ([0; 4], false);
    for (out, (&a, &b)) in difference.iter_mut().zip(number.iter().zip(modulus)) {
        let (part, first) = a.overflowing_sub(b);
        let (part, second) = part.overflowing_sub(u64::from(borrow));
        (*out, borrow) = (part, first || second);
    }
    if borrow { number } else { difference }
}

fn inverse(value: Fr) -> Fr {
    value.invert().expect("toxic waste is not zero")
}

/// Every Lagrange polynomial of the domain of 2^`log2` points, at tau.
fn lagrange(tau: Fr, log2: u32) -> Vec<Fr> {
    let root = Fr::root_of_unity(log2).expect("a domain of the field");
    let size = Fr::from_u64(1 << log2);
    let scale = (tau.pow(&[1 << log2]) - Fr::ONE) * inverse(size);
    let points: Vec<Fr> =
        core::iter::successors(Some(Fr::ONE), |&x| Some(x * root)).take(1 << log2).collect();
    let mut inverses: Vec<Fr> = points.iter().map(|&x| tau - x).collect();
    batch_invert(&mut inverses);
    points.iter().zip(inverses).map(|(&x, inverse)| scale * x * inverse).collect()
}

/// The records of A and B, row by row, and all three matrices' columns at tau.
fn columns(circuit: &Circuit, lagrange: &[Fr]) -> (Columns, Vec<Coefficient>) {
    let zeros = vec![Fr::ZERO; circuit.wires.len()];
    let mut columns = Columns { u: zeros.clone(), v: zeros.clone(), k: zeros };
    let mut coefficients = Vec::new();
    let mut add = |column: &mut [Fr], terms: &Combination, matrix: Option<u32>, row: u32| {
        for (&signal, &value) in terms {
            column[count(signal)] += value * lagrange[count(row)];
            coefficients.extend(matrix.map(|matrix| Coefficient { matrix, row, signal, value }));
        }
    };
    for (row, [a, b, c]) in (0..).zip(&circuit.constraints) {
        add(&mut columns.u, a, Some(0), row);
        add(&mut columns.v, b, Some(1), row);
        add(&mut columns.k, c, None, row);
    }
    // Input consistency: each public wire has a row of A to itself.
    let first = u32::try_from(circuit.constraints.len()).unwrap_or(u32::MAX);
    for signal in 0..=circuit.n_public {
        add(&mut columns.u, &[(signal, Fr::ONE)].into(), Some(0), first + signal);
    }
    (columns, coefficients)
}

fn split_first_five(coefficients: &mut Vec<Coefficient>) {
    let five = Fr::from_u64(5);
    let at = coefficients.iter().position(|one| one.matrix == 0 && one.value == five);
    let at = at.expect("a coefficient 5 in A");
    let parts = [2, 3].map(|value| Coefficient { value: Fr::from_u64(value), ..coefficients[at] });
    coefficients.splice(at..=at, parts);
}

/// Multiples of a generator by windows of 8 bits: entry 255 * w + d - 1 is d * 2^(8w) * G.
struct FixedBase<F> {
    table: Vec<Affine<F>>,
}

impl<F: CurveField> FixedBase<F> {
    fn new() -> Self {
        let mut base = Jacobian::from(Affine::<F>::GENERATOR);
        let mut multiples = Vec::with_capacity(32 * 255);
        for _ in 0..32 {
            let mut multiple = base;
            for _ in 0..255 {
                multiples.push(multiple);
                multiple = multiple.add(&base);
            }
            base = multiple;
        }
        Self { table: to_affine(&multiples) }
    }

    fn one(&self, scalar: Fr) -> Affine<F> {
        self.sum(scalar).to_affine()
    }

    fn many(&self, scalars: impl Iterator<Item = Fr>) -> Vec<Affine<F>> {
        to_affine(&scalars.map(|scalar| self.sum(scalar)).collect::<Vec<_>>())
    }

    fn sum(&self, scalar: Fr) -> Jacobian<F> {
        let mut sum = Jacobian::INFINITY;
        for (window, digit) in scalar.to_le_bytes().into_iter().enumerate() {
            if let Some(entry) = usize::from(digit).checked_sub(1) {
                sum = sum.add_affine(&self.table[255 * window + entry]);
            }
        }
        sum
    }
}

fn to_affine<F: CurveField>(points: &[Jacobian<F>]) -> Vec<Affine<F>> {
    let mut affine = vec![Affine::INFINITY; points.len()];
    batch_to_affine(points, &mut affine).expect("slices of one length");
    affine
}
