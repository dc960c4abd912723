//! Flat files of points, as ceremonies publish them: nothing but points, one after the other.
//!
//! | file | encoding | skip | first |
//! |---|---|---|---|
//! | Aztec Ignition, `transcript00.dat` | `Ignition` | 28, its manifest | tau |
//! | Barretenberg, `bn254_g1.dat` | `Ethereum` | 0 | the generator |
//! | `EigenDA`, `g1.point` | `GnarkCompressed` | 0 | the generator |
//! | section 2 of a `.ptau` | `Montgomery` | 0 | the generator |
//!
//! tau G2 comes from elsewhere, mostly from a file of its own: `Encoding::read_point` reads it.

use std::path::Path;

use crate::buffer::HeapBuffer;
use crate::curve::{G1Affine, G2Affine};
use crate::encoding::Encoding;
use crate::error::Error;
use crate::field::Fq;
use crate::file::{FileError, Place, RegularFile, Slice, Source, Spot, wide};

use super::read::{Read, Run, SrsOptions, check_contributions};
use super::srs::Srs;

/// What the first point of a flat file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstPower {
    /// The generator: tau^0 G.
    Generator,
    /// tau G; the generator is left out, because everybody knows it.
    Tau,
}

/// What a flat file holds, which nothing in it says.
#[derive(Clone, Copy, Debug)]
pub struct RawLayout {
    /// How a point is written.
    pub encoding: Encoding,
    /// Bytes before the first point.
    pub skip_bytes: u64,
    /// What the first point is.
    pub first: FirstPower,
    /// tau times the generator of G2. It is checked like everything else.
    pub tau_g2: G2Affine,
}

impl Srs {
    /// Reads powers of tau from the flat file at `path`. Bytes behind the points that are asked for
    /// are not looked at.
    ///
    /// # Errors
    /// As [`read_ptau`](Self::read_ptau), with the byte and the point; [`FileError::TooFewPowers`]
    /// for a file that is too short.
    pub fn read_raw(
        path: &Path,
        layout: &RawLayout,
        options: &SrsOptions<'_>,
    ) -> Result<Self, Error> {
        from_source(&RegularFile::open(path, options.name)?, layout, options)
    }

    /// Reads powers of tau from the bytes of a flat file.
    ///
    /// # Errors
    /// As [`read_raw`](Self::read_raw).
    pub fn from_raw(
        bytes: &[u8],
        layout: &RawLayout,
        options: &SrsOptions<'_>,
    ) -> Result<Self, Error> {
        from_source(&Slice { name: options.name, bytes }, layout, options)
    }
}

fn from_source(
    source: &dyn Source,
    layout: &RawLayout,
    options: &SrsOptions<'_>,
) -> Result<Srs, Error> {
    options.check()?;
    let &RawLayout { encoding, skip_bytes, first, tau_g2 } = layout;
    let left_out = match first {
        FirstPower::Generator => 0,
        FirstPower::Tau => 1,
    };
    let expected = wide(options.powers());
    let room = source.len_bytes().saturating_sub(skip_bytes);
    let got = room / wide(encoding.point_bytes::<Fq>()) + wide(left_out);
    if got < expected {
        let place = Place { file: source.name().to_owned(), spot: Spot::Byte(skip_bytes) };
        return Err(FileError::TooFewPowers { place, expected, got }.into());
    }
    options.check_memory()?;
    let run = Run { source, section: None, offset: skip_bytes, encoding, what: "point" };
    let mut powers = HeapBuffer::zeroed(options.powers())?;
    let (known, read) = powers.split_at_mut(left_out);
    known.fill(G1Affine::GENERATOR);
    run.read_into(read, options)?;
    check_contributions(source, &powers, &tau_g2)?;
    source.check_unchanged()?;
    Read { powers, powers_run: (run, left_out), lagrange: None, tau_g2 }.finish(options)
}
