//! A prover as it stands in the definition: one multiplication for each point, a recursive
//! transform, and no other idea. Slow on purpose, and independent of every file format.

use nalloc_bn254::curve::CurveField;
use nalloc_bn254::{Affine, Field, Fr, G1Affine, G2Affine, Jacobian};

use crate::circuit::count;
use crate::json::Json;
use crate::setup::Setup;

/// A proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OracleProof {
    /// A.
    pub a: G1Affine,
    /// B.
    pub b: G2Affine,
    /// C.
    pub c: G1Affine,
}

impl OracleProof {
    /// proof.json.
    #[must_use]
    pub fn to_json(&self) -> Json {
        Json::Object(vec![
            ("pi_a", Json::g1(&self.a)),
            ("pi_b", Json::g2(&self.b)),
            ("pi_c", Json::g1(&self.c)),
            ("protocol", Json::text("groth16")),
            ("curve", Json::text("bn128")),
        ])
    }
}

/// The proof for a key, a witness and the blinding (r, s).
#[must_use]
pub fn prove(setup: &Setup, witness: &[Fr], (r, s): (Fr, Fr)) -> OracleProof {
    let a = msm(&setup.a, witness).add_affine(&setup.alpha1);
    let a = a.add(&setup.delta1.mul_scalar_vartime(r)).to_affine();
    let b = msm(&setup.b2, witness).add_affine(&setup.beta2);
    let b = b.add(&setup.delta2.mul_scalar_vartime(s)).to_affine();
    let b1 = msm(&setup.b1, witness).add_affine(&setup.beta1);
    let b1 = b1.add(&setup.delta1.mul_scalar_vartime(s)).to_affine();
    let c = msm(&setup.l, &witness[count(setup.n_public) + 1..])
        .add(&msm(&setup.h, &quotient(setup, witness)))
        .add(&a.mul_scalar_vartime(s))
        .add(&b1.mul_scalar_vartime(r))
        .add(&setup.delta1.mul_scalar_vartime(-(r * s)))
        .to_affine();
    OracleProof { a, b, c }
}

/// The values of AB - C on the odd points of the domain.
fn quotient(setup: &Setup, witness: &[Fr]) -> Vec<Fr> {
    let size = count(setup.domain_size);
    let mut rows = [vec![Fr::ZERO; size], vec![Fr::ZERO; size]];
    for one in &setup.coefficients {
        rows[count(one.matrix)][count(one.row)] += one.value * witness[count(one.signal)];
    }
    let [a, b] = rows;
    let c: Vec<Fr> = a.iter().zip(&b).map(|(&a, &b)| a * b).collect();
    let [a, b, c] = [a, b, c].map(|values| on_odd_points(&values));
    a.iter().zip(b).zip(c).map(|((&a, b), c)| a * b - c).collect()
}

/// Values on w^i become values on e^(2i+1), e^2 = w.
fn on_odd_points(values: &[Fr]) -> Vec<Fr> {
    let log2 = values.len().ilog2();
    let root = |log2| Fr::root_of_unity(log2).expect("a domain of the field");
    let invert = |value: Fr| value.invert().expect("a number that is not zero");
    let mut factor = invert(Fr::from_u64(values.len() as u64));
    let mut coefficients = ntt(values, invert(root(log2)));
    for coefficient in &mut coefficients {
        *coefficient *= factor;
        factor *= root(log2 + 1);
    }
    ntt(&coefficients, root(log2))
}

/// Output i is the sum over j of input j times `root`^(ij).
fn ntt(values: &[Fr], root: Fr) -> Vec<Fr> {
    if let [value] = values {
        return vec![*value];
    }
    let half =
        |start: usize| -> Vec<Fr> { values.iter().skip(start).step_by(2).copied().collect() };
    let [even, odd] = [half(0), half(1)].map(|half| ntt(&half, root.square()));
    let turned: Vec<Fr> = odd
        .iter()
        .scan(Fr::ONE, |power, &value| {
            let turned = value * *power;
            *power *= root;
            Some(turned)
        })
        .collect();
    let low = even.iter().zip(&turned).map(|(&even, &odd)| even + odd);
    let high = even.iter().zip(&turned).map(|(&even, &odd)| even - odd);
    low.chain(high).collect()
}

fn msm<F: CurveField>(points: &[Affine<F>], scalars: &[Fr]) -> Jacobian<F> {
    assert_eq!(points.len(), scalars.len(), "points and scalars");
    points.iter().zip(scalars).fold(Jacobian::INFINITY, |sum, (point, &scalar)| {
        sum.add(&point.mul_scalar_vartime(scalar))
    })
}
