//! Kernels for instruction sets, and the choice between them.
//!
//! | file | owns |
//! |---|---|
//! | `lanes` | the contract: eight words at once |
//! | `ifma`, `model` | who fulfils it: intrinsics, and what they do in plain Rust |
//! | `narrow`; `avx2`, `narrow_model` | the same for four lanes and products of 32 bits |
//! | `limbs29` | all that is computed with them |
//! | `constants`, `value`, `product`, `wide` | numbers in 52-bit limbs and their multiplication |
//! | `beside` | what runs between the rows of products |
//! | `multiply`, `vector`, `inverse`, `radix`, `tile`, `sweep`, `slab` | the algorithms |
//! | `coordinate`, `batch_add`, `halves` | additions of points, digits of scalars |
//! | `near` | asking for memory early, without lanes |
//!
//! The choice is made once a process, by what the CPU has; the environment variable `NALLOC_CPU`
//! (`baseline`, `avx2` or `ifma`) overrides it for tests and measurements. It never changes a
//! result.

#![expect(
    clippy::inline_always,
    reason = "a kernel's parts must become one function, compiled for its instruction set"
)]
#![expect(clippy::cast_possible_truncation, reason = "limbs are the low bits of wide sums")]
#![expect(
    clippy::needless_range_loop,
    reason = "`k` counts products in flight; iterators of arrays are not always inlined"
)]

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
pub(crate) mod batch_add;
mod beside;
pub(crate) mod constants;
pub(crate) mod coordinate;
pub(crate) mod halves;
#[cfg(target_arch = "x86_64")]
pub(crate) mod ifma;
pub(crate) mod inverse;
pub(crate) mod lanes;
pub(crate) mod limbs29;
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(crate) mod model;
pub(crate) mod multiply;
pub(crate) mod narrow;
#[cfg(any(test, not(target_arch = "x86_64")))]
mod narrow_model;
pub(crate) mod near;
pub(crate) mod product;
pub(crate) mod radix;
pub(crate) mod slab;
pub(crate) mod sweep;
#[cfg(test)]
mod tests;
pub(crate) mod tile;
pub(crate) mod value;
pub(crate) mod vector;
pub(crate) mod wide;

use std::env;
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
pub(crate) use ifma::Ifma;

/// The environment variable that names the kernels to use.
pub const CPU_VARIABLE: &str = "NALLOC_CPU";

/// Which arithmetic kernels run. Results are the same with all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kernels(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Set {
    Portable,
    Avx2,
    Ifma,
}

impl Kernels {
    /// Plain Rust, on every CPU.
    pub const PORTABLE: Self = Self(Set::Portable);

    /// AVX-512 IFMA, or none where this CPU lacks it.
    #[must_use]
    pub fn ifma() -> Option<Self> {
        let kernels = Self(Set::Ifma);
        kernels.lanes().map(|_| kernels)
    }

    /// AVX2, or none where this CPU lacks it.
    #[must_use]
    pub fn avx2() -> Option<Self> {
        let kernels = Self(Set::Avx2);
        kernels.narrow_lanes().map(|_| kernels)
    }

    /// The fastest of this CPU, or what `NALLOC_CPU` names where the CPU has it. AVX2 runs where it
    /// is named only: plain Rust is as fast (docs/ntt.md).
    #[must_use]
    pub fn host() -> Self {
        static CHOICE: OnceLock<Kernels> = OnceLock::new();
        *CHOICE.get_or_init(|| {
            let named = env::var_os(CPU_VARIABLE);
            let is_named = |name: &str| named.as_ref().is_some_and(|named| named == name);
            let fastest = if is_named("avx2") { Self::avx2() } else { Self::ifma() };
            fastest.filter(|_| !is_named("baseline")).unwrap_or(Self::PORTABLE)
        })
    }

    /// `baseline`, `avx2` or `ifma`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Portable => "baseline",
            Set::Avx2 => "avx2",
            Set::Ifma => "ifma",
        }
    }

    /// The lanes of these kernels, or none for portable ones.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn lanes(self) -> Option<Ifma> {
        match self.0 {
            Set::Ifma => Ifma::detect(),
            Set::Avx2 | Set::Portable => None,
        }
    }

    /// Four narrow lanes, or none for kernels that do not use them.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn narrow_lanes(self) -> Option<avx2::Avx2> {
        match self.0 {
            Set::Avx2 => avx2::Avx2::detect(),
            Set::Ifma | Set::Portable => None,
        }
    }

    /// No kernels with lanes exist for this architecture.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn lanes(self) -> Option<model::Model> {
        None
    }

    /// As [`lanes`](Self::lanes).
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn narrow_lanes(self) -> Option<narrow_model::NarrowModel> {
        None
    }
}
