//! What arkworks does, as ark-poly-commit puts it together: a sum of points, a division by ark-poly,
//! two pairings with prepared points.

use std::hint::black_box;

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::pairing::Pairing;
use ark_ec::scalar_mul::ScalarMul as _;
use ark_ec::{AffineRepr as _, CurveGroup as _, VariableBaseMSM as _};
use ark_ff::{One as _, PrimeField as _, Zero as _};
use ark_poly::univariate::{DenseOrSparsePolynomial, DensePolynomial};
use ark_poly::{DenseUVPolynomial as _, Polynomial as _};
use benchkit::worker::{Timed, time as time_of};

use crate::input::{ACCEPTED, Case, OPENED_LEN, OPENINGS, POINT, TAU, hash as hash_of};
use crate::theirs::ark_powers;

struct Setup {
    powers: Vec<G1Affine>,
    generator: <Bn254 as Pairing>::G2Prepared,
    tau: <Bn254 as Pairing>::G2Prepared,
}

struct Opening {
    commitment: G1Affine,
    point: Fr,
    value: Fr,
    proof: G1Affine,
}

impl Setup {
    fn new(len: usize) -> Self {
        let tau = Fr::from(TAU);
        let scalars: Vec<Fr> =
            std::iter::successors(Some(Fr::one()), |&power| Some(power * tau)).take(len).collect();
        let powers = G1Projective::from(G1Affine::generator()).batch_mul(&scalars);
        let tau_g2: G2Affine = (G2Projective::from(G2Affine::generator()) * tau).into_affine();
        Self { powers, generator: G2Affine::generator().into(), tau: tau_g2.into() }
    }

    fn commit(&self, polynomial: &DensePolynomial<Fr>) -> G1Affine {
        let len = polynomial.coeffs.len();
        let sum = G1Projective::msm(&self.powers[..len], &polynomial.coeffs);
        sum.expect("as many coefficients as points").into_affine()
    }

    fn open(&self, polynomial: &DensePolynomial<Fr>, point: Fr) -> (Fr, G1Affine) {
        let divisor = DensePolynomial::from_coefficients_vec(vec![-point, Fr::one()]);
        let [dividend, divisor] = [polynomial, &divisor].map(DenseOrSparsePolynomial::from);
        let (quotient, rest) = dividend.divide_with_q_and_r(&divisor).expect("a divisor");
        (rest.evaluate(&Fr::zero()), self.commit(&quotient))
    }

    fn opening(&self) -> Opening {
        let coefficients = ark_powers(OPENINGS + OPENED_LEN)[OPENINGS - 1..][..OPENED_LEN].to_vec();
        let polynomial = DensePolynomial::from_coefficients_vec(coefficients);
        let point = Fr::from(OPENINGS as u64 + 1);
        let (value, proof) = self.open(&polynomial, point);
        Opening { commitment: self.commit(&polynomial), point, value, proof }
    }

    fn accepts(&self, opening: &Opening) -> bool {
        let Opening { commitment, point, value, proof } = opening;
        let left = G1Affine::generator() * -*value + *proof * point + commitment;
        let pairs = [left.into_affine(), -*proof];
        Bn254::multi_pairing(pairs, [self.generator.clone(), self.tau.clone()]).is_zero()
    }
}

fn polynomial(log2: u32) -> DensePolynomial<Fr> {
    DensePolynomial::from_coefficients_vec(ark_powers(1 << log2))
}

pub fn hash(case: Case) -> Result<String, String> {
    let coordinates = |point: G1Affine| [point.x, point.y].map(|x| x.into_bigint().0);
    let limbs = match case {
        Case::Commit(log2) => coordinates(Setup::new(1 << log2).commit(&polynomial(log2))).to_vec(),
        Case::Open(log2) => {
            let (value, proof) = Setup::new(1 << log2).open(&polynomial(log2), -Fr::from(POINT));
            let [x, y] = coordinates(proof);
            vec![x, y, value.into_bigint().0]
        }
        Case::Verify | Case::VerifyEach => {
            let setup = Setup::new(OPENED_LEN);
            let good = setup.opening();
            let is_good = setup.accepts(&good);
            let spoiled = Opening { value: good.value + Fr::one(), ..good };
            let is_right = is_good && !setup.accepts(&spoiled);
            vec![if is_right { ACCEPTED } else { [0; 4] }]
        }
        _ => return Err(format!("{}: no case of KZG", case.name())),
    };
    Ok(hash_of(limbs.into_iter()))
}

pub fn time(case: Case) -> Result<Timed, String> {
    let repetitions = case.repetitions();
    match case {
        Case::Commit(log2) => {
            let (setup, polynomial) = (Setup::new(1 << log2), polynomial(log2));
            Ok(time_of(repetitions, || {
                let _ = black_box(setup.commit(black_box(&polynomial)));
            }))
        }
        Case::Open(log2) => {
            let (setup, polynomial) = (Setup::new(1 << log2), polynomial(log2));
            Ok(time_of(repetitions, || {
                let _ = black_box(setup.open(black_box(&polynomial), -Fr::from(POINT)));
            }))
        }
        Case::Verify => {
            let setup = Setup::new(OPENED_LEN);
            let opening = setup.opening();
            Ok(time_of(repetitions, || {
                black_box(setup.accepts(black_box(&opening)));
            }))
        }
        _ => Err(format!("{}: no such case", case.name())),
    }
}
