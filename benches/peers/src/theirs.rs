//! arkworks and halo2curves, each on the pool of rayon that calls them.

use std::hint::black_box;
use std::iter;

use ark_bn254::Fr as ArkFr;
use ark_ff::{BigInt, Field as _, PrimeField as _};
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};
use benchkit::worker::{Timed, time};
use halo2curves::bn256::Fr as HaloFr;
use halo2curves::ff::{Field as _, PrimeField as _};

use crate::input::{Case, PRODUCT_LEN, hash};

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

fn ark_powers(len: usize) -> Vec<ArkFr> {
    let seven = ArkFr::from(7);
    iter::successors(Some(ArkFr::ONE), |&x| Some(x * seven)).take(len).collect()
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
            Case::Butterfly | Case::Shoup => Err(unknown(case)),
        }
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
            Case::Butterfly | Case::Shoup => return Err(unknown(case)),
        };
        Ok(hash(values.into_iter().map(|x| {
            let bytes = x.to_repr();
            let (limbs, _) = bytes.as_ref().as_chunks::<8>();
            std::array::from_fn(|limb| u64::from_le_bytes(limbs[limb]))
        })))
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
            Case::Butterfly | Case::Shoup => Err(unknown(case)),
        }
    }
}
