//! `.ptau`: powers of tau as snarkjs keeps them, prepared for the second phase or not.
//!
//! | section | of it is read |
//! |---|---|
//! | 1 | the curve, and the power p |
//! | 2 | as many of its 2^(p+1) - 1 powers in G1 as were asked for |
//! | 3 | two of its 2^p powers in G2: the generator, and tau's |
//! | 12 | of a prepared file, where Lagrange points are wanted, one of its levels |
//!
//! Level k of section 12 has the Lagrange points of the domain of 2^k and begins after 2^k - 1
//! points; there are levels 0 to p + 1, and the last one is not read: its last power is missing.
//! The other sections are not needed and not looked at. Lengths are compared with the header in 64
//! bits before anything is allocated.

use std::path::Path;

use crate::buffer::HeapBuffer;
use crate::curve::{G1Affine, G2Affine};
use crate::encoding::Encoding;
use crate::error::Error;
use crate::field::{Fq, Fq2};
use crate::file::{
    Container, FileError, Kind, RegularFile, Section, Slice, Source, read_limbs, u32_at, wide,
};

use super::read::{Read, Run, SrsOptions, check_contributions};
use super::srs::{LAGRANGE_POINT, POWER, Srs};

const PTAU: Kind =
    Kind { magic: *b"ptau", name: "a .ptau file", version_max: 1, versions: "1", mark: None };

const HEADER_BYTES: usize = 44;
/// Byte offsets inside of the header section.
const N8: usize = 0;
const Q: usize = 4;
const POWER_OF_TWO: usize = 36;
/// The largest ceremony: section 9 of a key needs the roots of twice the domain.
const POWER_MAX: u32 = 28;

const HEADER: u32 = 1;
const TAU_G1: u32 = 2;
const TAU_G2: u32 = 3;
const LAGRANGE_G1: u32 = 12;

impl Srs {
    /// Reads the `.ptau` file at `path`, of which no more than the points that are asked for.
    ///
    /// What the result promises stands at [`Srs`]: every point of it was checked. Two sums of all
    /// powers are most of the time.
    ///
    /// # Errors
    /// [`Error::File`] for a file that cannot be read or is none of a ceremony, with the section
    /// and the point; [`Error::MemoryLimit`] before points are read; [`Error::LengthMismatch`],
    /// [`Error::DomainTooLarge`] for a domain above the powers; [`Error::SrsRefused`] for fewer
    /// than 2 powers; [`Error::Memory`], [`Error::Random`], [`Error::Cancelled`].
    pub fn read_ptau(path: &Path, options: &SrsOptions<'_>) -> Result<Self, Error> {
        from_source(&RegularFile::open(path, options.name)?, options)
    }

    /// Reads the bytes of a `.ptau` file.
    ///
    /// # Errors
    /// As [`read_ptau`](Self::read_ptau).
    pub fn from_ptau(bytes: &[u8], options: &SrsOptions<'_>) -> Result<Self, Error> {
        from_source(&Slice { name: options.name, bytes }, options)
    }
}

fn from_source(source: &dyn Source, options: &SrsOptions<'_>) -> Result<Srs, Error> {
    options.check()?;
    let ptau = Ptau::open(source, options)?;
    options.check_memory()?;
    let tau_g2 = ptau.tau_g2()?;
    let run = ptau.run(ptau.tau_g1, 0, POWER);
    let mut powers = HeapBuffer::zeroed(options.powers())?;
    run.read_into(&mut powers, options)?;
    check_contributions(source, &powers, &tau_g2)?;
    let lagrange = match (ptau.lagrange, options.lagrange_log2) {
        (Some(section), Some(log2)) => {
            let len = 1_usize << log2;
            let run = ptau.run(section, wide(len - 1), LAGRANGE_POINT);
            let mut points = HeapBuffer::zeroed(len)?;
            run.read_into(&mut points, options)?;
            Some((points, run))
        }
        _ => None,
    };
    source.check_unchanged()?;
    Read { powers, powers_run: (run, 0), lagrange, tau_g2 }.finish(options)
}

/// A `.ptau` whose header and section lengths were checked.
struct Ptau<'a> {
    source: &'a dyn Source,
    tau_g1: Section,
    tau_g2: Section,
    /// Of a prepared file.
    lagrange: Option<Section>,
}

impl<'a> Ptau<'a> {
    fn open(source: &'a dyn Source, options: &SrsOptions<'_>) -> Result<Self, Error> {
        let container = Container::open(source, &PTAU, options.observer)?;
        container.check_unique(&[HEADER, TAU_G1, TAU_G2, LAGRANGE_G1])?;
        let head = container.section(HEADER)?;
        let (tau_g1, tau_g2) = (container.section(TAU_G1)?, container.section(TAU_G2)?);
        let power = read_power(&container, head)?;
        let powers = (2_u64 << power) - 1;
        container.check_len(tau_g1, powers * wide(G1Affine::BYTES))?;
        container.check_len(tau_g2, (1_u64 << power) * wide(G2Affine::BYTES))?;
        // It is there or it is not; twice was refused above.
        let lagrange = container.section(LAGRANGE_G1).ok();
        if let Some(section) = lagrange {
            container.check_len(section, ((4_u64 << power) - 1) * wide(G1Affine::BYTES))?;
        }
        let wanted = wide(options.powers());
        if wanted > powers {
            let place = container.place(tau_g1, 0);
            return Err(FileError::TooFewPowers { place, expected: wanted, got: powers }.into());
        }
        Ok(Self { source, tau_g1, tau_g2, lagrange })
    }

    /// The points of `section` from point `first` on.
    fn run(&self, section: Section, first: u64, what: &'static str) -> Run<'a> {
        let offset = section.offset + first * wide(G1Affine::BYTES);
        let encoding = Encoding::Montgomery;
        Run { source: self.source, section: Some(section), offset, encoding, what }
    }

    fn tau_g2(&self) -> Result<G2Affine, Error> {
        let run = self.run(self.tau_g2, 0, "power in G2");
        let [generator, tau] = [0, 1].map(|index| run.point::<Fq2>(index));
        if generator? == G2Affine::GENERATOR {
            return tau;
        }
        let (place, what) = (run.place::<Fq2>(0), "power in G2 0".to_owned());
        Err(FileError::BadSrs { place, what }.into())
    }
}

/// The header's p: there are 2^p powers in G2.
fn read_power(container: &Container<'_>, head: Section) -> Result<u32, FileError> {
    let refuse = |at: usize, got: String| {
        Err(FileError::UnsupportedCurve { place: container.place(head, wide(at)), got })
    };
    let n8 = u32::from_le_bytes(container.read_first(head)?);
    if n8 != 32 {
        // Such a header is longer, so its length says nothing.
        return refuse(N8, format!("coordinates of {n8} bytes (BLS12-381 has 48)"));
    }
    container.check_len(head, wide(HEADER_BYTES))?;
    let header: [u8; HEADER_BYTES] = container.read_first(head)?;
    if read_limbs(&header, Q) != Fq::MODULUS {
        return refuse(Q, "another prime q".to_owned());
    }
    let power = u32_at(&header, POWER_OF_TWO);
    if (1..=POWER_MAX).contains(&power) {
        return Ok(power);
    }
    let place = container.place(head, wide(POWER_OF_TWO));
    let expected = format!("a power from 1 to {POWER_MAX}");
    Err(FileError::BadHeader { place, expected, got: power })
}
