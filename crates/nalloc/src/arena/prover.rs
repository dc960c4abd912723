//! The three arenas of a prover: what lives long and is public, what must not leak, and what ends
//! with a phase. Each has its own pages and policy, so that wiping or resetting one costs the
//! others nothing, and a stray write in one cannot grow into another's capacity.

use core::fmt;

use super::{Arena, ArenaBuilder};
use crate::error::Error;

/// A prover's memory, in three arenas that share nothing.
///
/// ```
/// use nalloc::{Arena, ProverArenas};
///
/// let mut arenas = ProverArenas::builder()
///     .polynomial(Arena::builder().capacity_bytes(1 << 20))
///     .witness(Arena::builder().capacity_bytes(1 << 16))
///     .scratch(Arena::builder().capacity_bytes(1 << 18))
///     .build()?;
/// let signals = arenas.witness.alloc_array::<u64>(100);
/// signals[0] = 1;
/// arenas.scratch.scope(|scope| scope.alloc_array::<u64>(1000).fill(7));
/// arenas.witness.secure_wipe();
/// # Ok::<(), nalloc::Error>(())
/// ```
pub struct ProverArenas {
    /// Coefficients and evaluations: large, long-lived.
    pub polynomial: Arena,
    /// What is derived from the private inputs; always secret.
    pub witness: Arena,
    /// Buckets, digits, twists: what a phase needs and the next one overwrites.
    pub scratch: Arena,
}

/// What the three arenas shall be.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ProverArenasBuilder {
    polynomial: ArenaBuilder,
    witness: ArenaBuilder,
    scratch: ArenaBuilder,
}

impl ProverArenasBuilder {
    /// The arena of polynomials. Default: of no bytes.
    pub const fn polynomial(mut self, builder: ArenaBuilder) -> Self {
        self.polynomial = builder;
        self
    }

    /// The arena of the witness, which is made secret whatever `builder` says. Default: of no
    /// bytes.
    pub const fn witness(mut self, builder: ArenaBuilder) -> Self {
        self.witness = builder.secret(true);
        self
    }

    /// The arena of scratch memory. Default: of no bytes.
    pub const fn scratch(mut self, builder: ArenaBuilder) -> Self {
        self.scratch = builder;
        self
    }

    /// Makes the three arenas, or none.
    ///
    /// # Errors
    /// As [`ArenaBuilder::build`].
    pub fn build(self) -> Result<ProverArenas, Error> {
        Ok(ProverArenas {
            polynomial: self.polynomial.build()?,
            witness: self.witness.build()?,
            scratch: self.scratch.build()?,
        })
    }
}

impl ProverArenas {
    /// Three arenas of no bytes, until it is said otherwise.
    pub const fn builder() -> ProverArenasBuilder {
        ProverArenasBuilder {
            polynomial: Arena::builder(),
            witness: Arena::builder().secret(true),
            scratch: Arena::builder(),
        }
    }

    /// Resets the three: the next proof finds their pages warm, and the witness's wiped.
    pub fn reset(&mut self) {
        for arena in [&mut self.polynomial, &mut self.witness, &mut self.scratch] {
            arena.reset();
        }
    }

    /// Wipes the three.
    pub fn secure_wipe(&mut self) {
        for arena in [&mut self.polynomial, &mut self.witness, &mut self.scratch] {
            arena.secure_wipe();
        }
    }
}

impl fmt::Debug for ProverArenas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { polynomial, witness, scratch } = self;
        write!(f, "ProverArenas(polynomial {polynomial:?}, ")?;
        write!(f, "witness {witness:?}, scratch {scratch:?})")
    }
}
