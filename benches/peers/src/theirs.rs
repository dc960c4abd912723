//! arkworks, taceo-ark-algebra and halo2curves, each on the pool of rayon that calls them.

use std::hint::black_box;
use std::iter;

use ark_bn254::{Fr as ArkFr, G1Projective, G2Projective, g1, g2};
use ark_ec::short_weierstrass::{Affine, Projective, SWCurveConfig};
use ark_ec::{CurveConfig, CurveGroup, VariableBaseMSM as _};
use ark_ff::{BigInt, Field as _, PrimeField as _};
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use benchkit::worker::{Timed, time};
use halo2curves::bn256::{Fr as HaloFr, G1 as HaloG1, G1Affine as HaloG1Affine};
use halo2curves::ff::{Field as _, PrimeField as _};
use halo2curves::group::Curve as _;
use taceo_ark_algebra::msm::msm_unchecked;

use crate::input::{Case, PRODUCT_LEN, hash, small_scalar};
use crate::kzg;

/// One library's way to do each case.
pub trait Library {
    /// What it says of itself.
    fn settings(&self) -> String;

    /// The hash of a case's result.
    fn hash(&self, case: Case, threads: usize) -> Result<String, String>;

    /// What one repetition of a case takes: milliseconds, or cycles where the case says so.
    fn time(&self, case: Case, threads: usize) -> Result<Timed, String>;
}

/// arkworks 0.6.
pub struct Arkworks;

/// The first powers of seven.
pub fn ark_powers(len: usize) -> Vec<ArkFr> {
    let seven = ArkFr::from(7);
    iter::successors(Some(ArkFr::ONE), |&x| Some(x * seven)).take(len).collect()
}

/// Multiples of the generator.
fn ark_points<G: CurveGroup>(log2: u32) -> Vec<G::Affine> {
    let multiples = iter::successors(Some(<G as ark_ec::PrimeGroup>::generator()), |&sum| {
        Some(sum + <G as ark_ec::PrimeGroup>::generator())
    });
    G::normalize_batch(&multiples.take(1 << log2).collect::<Vec<_>>())
}

fn ark_scalars(log2: u32, is_small: impl Fn(usize) -> Option<u64>) -> Vec<ArkFr> {
    let powers = ark_powers(1 << log2).into_iter().enumerate();
    powers.map(|(index, power)| is_small(index).map_or(power, ArkFr::from)).collect()
}

/// A sum of products of the short Weierstrass curve P, and how it is had.
type ArkSum<P> = fn(&[Affine<P>], &[<P as CurveConfig>::ScalarField]) -> Projective<P>;

fn ark_sum<P: SWCurveConfig>(bases: &[Affine<P>], scalars: &[P::ScalarField]) -> Projective<P> {
    Projective::msm(bases, scalars).expect("as many scalars as points")
}

/// a[i] = a[i] * b[i].
pub fn multiply<T: Copy + for<'a> std::ops::MulAssign<&'a T>>(a: &mut [T], b: &[T]) {
    for (a, b) in a.iter_mut().zip(b) {
        *a *= b;
    }
}

fn unknown(case: Case) -> String {
    format!("{}: this library has no such case", case.name())
}

impl Library for Arkworks {
    fn settings(&self) -> String {
        "ark-poly 0.6, plain flags".to_owned()
    }

    fn hash(&self, case: Case, _: usize) -> Result<String, String> {
        let values = match case {
            Case::Product => ark_powers(PRODUCT_LEN).into_iter().map(|x| x * x).collect(),
            Case::Ntt(log2) => {
                let domain = Radix2EvaluationDomain::<ArkFr>::new(1 << log2).ok_or("no domain")?;
                domain.fft(&ark_powers(1 << log2))
            }
            Case::G1(_) | Case::G1Small(_) | Case::G2(_) => {
                return ark_hash_of_sum(case, ark_sum, ark_sum);
            }
            Case::Commit(_) | Case::Open(_) | Case::Verify | Case::VerifyEach => {
                return kzg::theirs::hash(case);
            }
            Case::Butterfly | Case::Shoup => return Err(unknown(case)),
        };
        Ok(hash(values.into_iter().map(|x| x.into_bigint().0)))
    }

    fn time(&self, case: Case, _: usize) -> Result<Timed, String> {
        match case {
            Case::Product => {
                let mut a = ark_powers(PRODUCT_LEN);
                let b = a.clone();
                Ok(time(case.repetitions(), || multiply(black_box(&mut a), black_box(&b))))
            }
            Case::Ntt(log2) => {
                let mut values = ark_powers(1 << log2);
                let domain = Radix2EvaluationDomain::<ArkFr>::new(1 << log2).ok_or("no domain")?;
                Ok(time(case.repetitions(), || domain.fft_in_place(black_box(&mut values))))
            }
            Case::G1(_) | Case::G1Small(_) | Case::G2(_) => time_ark_sum(case, ark_sum, ark_sum),
            Case::Commit(_) | Case::Open(_) | Case::Verify | Case::VerifyEach => {
                kzg::theirs::time(case)
            }
            Case::Butterfly | Case::Shoup => Err(unknown(case)),
        }
    }
}

fn ark_hash_of_sum(
    case: Case,
    in_g1: ArkSum<g1::Config>,
    in_g2: ArkSum<g2::Config>,
) -> Result<String, String> {
    let parts = match case {
        Case::G1(log2) | Case::G1Small(log2) => {
            let scalars = ark_scalars(log2, |index| small_scalar_of(case, index));
            let point = in_g1(&ark_points::<G1Projective>(log2), &scalars).into_affine();
            vec![point.x, point.y]
        }
        Case::G2(log2) => {
            let scalars = ark_scalars(log2, |_| None);
            let point = in_g2(&ark_points::<G2Projective>(log2), &scalars).into_affine();
            vec![point.x.c0, point.x.c1, point.y.c0, point.y.c1]
        }
        _ => return Err(unknown(case)),
    };
    Ok(hash(parts.into_iter().map(|part| part.into_bigint().0)))
}

fn time_ark_sum(
    case: Case,
    in_g1: ArkSum<g1::Config>,
    in_g2: ArkSum<g2::Config>,
) -> Result<Timed, String> {
    match case {
        Case::G1(log2) | Case::G1Small(log2) => {
            let scalars = ark_scalars(log2, |index| small_scalar_of(case, index));
            let bases = ark_points::<G1Projective>(log2);
            let sum = || {
                let _ = black_box(in_g1(&bases, &scalars));
            };
            Ok(time(case.repetitions(), sum))
        }
        Case::G2(log2) => {
            let (bases, scalars) = (ark_points::<G2Projective>(log2), ark_scalars(log2, |_| None));
            let sum = || {
                let _ = black_box(in_g2(&bases, &scalars));
            };
            Ok(time(case.repetitions(), sum))
        }
        _ => Err(unknown(case)),
    }
}

/// The scalar at `index`, where the case has a small one there.
fn small_scalar_of(case: Case, index: usize) -> Option<u64> {
    if matches!(case, Case::G1Small(_)) { small_scalar(index) } else { None }
}

/// taceo-ark-algebra 0.1: sums over the points and scalars of arkworks.
pub struct Taceo;

impl Library for Taceo {
    fn settings(&self) -> String {
        "taceo-ark-algebra 0.1, plain flags".to_owned()
    }

    fn hash(&self, case: Case, _: usize) -> Result<String, String> {
        ark_hash_of_sum(case, msm_unchecked, msm_unchecked)
    }

    fn time(&self, case: Case, _: usize) -> Result<Timed, String> {
        time_ark_sum(case, msm_unchecked, msm_unchecked)
    }
}

/// halo2curves 0.10.
pub struct Halo2Curves;

fn halo_powers(len: usize) -> Vec<HaloFr> {
    let seven = HaloFr::from(7);
    iter::successors(Some(HaloFr::ONE), |&x| Some(x * seven)).take(len).collect()
}

/// The root that the others use, which comes from the generator 5; halo2curves' own comes from 7.
fn halo_root(log2: u32) -> Result<HaloFr, String> {
    let BigInt(limbs) =
        Radix2EvaluationDomain::<ArkFr>::new(1 << log2).ok_or("no domain")?.group_gen.into_bigint();
    let mut bytes = [0; 32];
    for (to, limb) in bytes.chunks_exact_mut(8).zip(limbs) {
        to.copy_from_slice(&limb.to_le_bytes());
    }
    Option::from(HaloFr::from_repr(bytes.into())).ok_or_else(|| "no root".to_owned())
}

impl Library for Halo2Curves {
    fn settings(&self) -> String {
        "halo2curves 0.10, asm".to_owned()
    }

    fn hash(&self, case: Case, _: usize) -> Result<String, String> {
        let values: Vec<HaloFr> = match case {
            Case::Product => halo_powers(PRODUCT_LEN).into_iter().map(|x| x * x).collect(),
            Case::Ntt(log2) => {
                let mut values = halo_powers(1 << log2);
                halo2curves::fft::best_fft(&mut values, halo_root(log2)?, log2);
                values
            }
            Case::G1(log2) => return Ok(halo_hash_of_sum(log2, |_| None)),
            Case::G1Small(log2) => return Ok(halo_hash_of_sum(log2, small_scalar)),
            _ => return Err(unknown(case)),
        };
        Ok(hash(values.into_iter().map(|x| halo_limbs(x.to_repr().as_ref()))))
    }

    fn time(&self, case: Case, _: usize) -> Result<Timed, String> {
        match case {
            Case::Product => {
                let mut a = halo_powers(PRODUCT_LEN);
                let b = a.clone();
                Ok(time(case.repetitions(), || multiply(black_box(&mut a), black_box(&b))))
            }
            Case::Ntt(log2) => {
                let (mut values, root) = (halo_powers(1 << log2), halo_root(log2)?);
                let fft = || halo2curves::fft::best_fft(black_box(&mut values), root, log2);
                Ok(time(case.repetitions(), fft))
            }
            Case::G1(log2) => Ok(time_halo_sums(case, log2, |_| None)),
            Case::G1Small(log2) => Ok(time_halo_sums(case, log2, small_scalar)),
            _ => Err(unknown(case)),
        }
    }
}

fn halo_limbs(bytes: &[u8]) -> [u64; 4] {
    let (limbs, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|limb| u64::from_le_bytes(limbs[limb]))
}

/// Multiples of the generator, and powers of seven.
fn halo_terms(
    log2: u32,
    is_small: impl Fn(usize) -> Option<u64>,
) -> (Vec<HaloG1Affine>, Vec<HaloFr>) {
    let generator = HaloG1::generator();
    let multiples = iter::successors(Some(generator), |&sum| Some(sum + generator));
    let multiples: Vec<_> = multiples.take(1 << log2).collect();
    let mut bases = vec![HaloG1Affine::default(); multiples.len()];
    HaloG1::batch_normalize(&multiples, &mut bases);
    let powers = halo_powers(1 << log2).into_iter().enumerate();
    let scalar = |(index, power)| is_small(index).map_or(power, HaloFr::from);
    (bases, powers.map(scalar).collect())
}

fn halo_hash_of_sum(log2: u32, is_small: impl Fn(usize) -> Option<u64>) -> String {
    let (bases, scalars) = halo_terms(log2, is_small);
    let sum = halo2curves::msm::msm_best(&scalars, &bases).to_affine();
    hash([sum.x, sum.y].into_iter().map(|x| halo_limbs(x.to_repr().as_ref())))
}

fn time_halo_sums(case: Case, log2: u32, is_small: impl Fn(usize) -> Option<u64>) -> Timed {
    let (bases, scalars) = halo_terms(log2, is_small);
    time(case.repetitions(), || {
        black_box(halo2curves::msm::msm_best(&scalars, &bases));
    })
}
