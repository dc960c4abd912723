//! The header of a Groth16 `.zkey`: which sections there are, how long they must be, and the six
//! points that every proof and every check of a proof is made of.
//!
//! Checks are made in a fixed order, and the first that fails is the error: container, protocol,
//! sections, curve, sizes, lengths, coefficients (in `matrix`), the header's points, then those
//! of sections 3 and 5 to 9. Lengths are computed in 64 bits from 32-bit counts, so that nothing
//! wraps, and memory is only asked for after they were compared with the bytes that exist.

use nalloc_bn254::file::{
    Container, FileError, Kind, Section, Source, place, read_limbs, u32_at, wide,
};
use nalloc_bn254::{Affine, Fq, Fr, G1Affine, G2Affine, Observer, PointError, curve::CurveField};

use crate::error::Error;

const ZKEY: Kind = Kind {
    magic: *b"zkey",
    name: "a .zkey file",
    version_max: 2,
    versions: "1 or 2",
    mark: Some(UNSAFE_DEV),
};

pub(crate) const HEADER_BYTES: usize = 660;
/// Byte offsets inside of the header section.
const N8Q: usize = 0;
const Q: usize = 4;
const N8R: usize = 36;
const R: usize = 40;
const N_VARS: usize = 72;
const N_PUBLIC: usize = 76;
const DOMAIN_SIZE: usize = 80;
const POINTS: usize = 84;

const G1_BYTES: u64 = 64;
const G2_BYTES: u64 = 128;
/// Bytes of one coefficient: matrix, row, signal, value.
pub(crate) const COEFFICIENT_BYTES: usize = 44;
/// Bytes before the first coefficient: their number.
pub(crate) const COUNT_BYTES: usize = 4;
/// The largest domain: the roots of twice its order must exist, and 2^28 is the last one.
pub(crate) const DOMAIN_SIZE_MAX: u32 = 1 << 27;

/// The sections that are read in full, and what they hold.
pub(crate) const IC: u32 = 3;
pub(crate) const COEFFICIENTS: u32 = 4;
pub(crate) const A: u32 = 5;
pub(crate) const B1: u32 = 6;
pub(crate) const B2: u32 = 7;
pub(crate) const L: u32 = 8;
pub(crate) const H: u32 = 9;

/// The section that only keys for development have: everybody knows the secrets that they were made
/// from, whatever was done to them since.
pub(crate) const UNSAFE_DEV: u32 = u32::from_le_bytes(*b"unsf");

/// A `.zkey` whose header and section lengths were checked.
pub(crate) struct Zkey<'a> {
    container: Container<'a>,
    header: [u8; HEADER_BYTES],
    /// The header's own section.
    head: Section,
    sections: [Section; 7],
    /// What the header says.
    pub(crate) sizes: Sizes,
}

/// The numbers in a key's header.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Wires, the constant one included.
    pub(crate) n_vars: u32,
    /// Outputs and public inputs; less than `n_vars` and `domain_size`.
    pub(crate) n_public: u32,
    /// A power of two, 2 to 2^27.
    pub(crate) domain_size: u32,
    /// Records of section 4.
    pub(crate) coefficients: u32,
}

/// The points of the header, each of its group and none at infinity.
pub(crate) struct HeaderPoints {
    pub(crate) alpha1: G1Affine,
    pub(crate) beta1: G1Affine,
    pub(crate) beta2: G2Affine,
    pub(crate) gamma2: G2Affine,
    pub(crate) delta1: G1Affine,
    pub(crate) delta2: G2Affine,
}

impl<'a> Zkey<'a> {
    /// Reads and checks everything but coefficients and points.
    ///
    /// # Errors
    /// Those of FORMATS.md section 8 up to `ERR_SECTION_LENGTH`, what reading can give, and
    /// [`Error::Cancelled`].
    pub(crate) fn open(source: &'a dyn Source, observer: &dyn Observer) -> Result<Self, Error> {
        let container = Container::open(source, &ZKEY, observer)?;
        check_protocol(&container)?;
        container.check_unique(&[1, 2, IC, COEFFICIENTS, A, B1, B2, L, H])?;
        let head = container.section(2)?;
        let mut sections = [head; 7];
        for (section, id) in sections.iter_mut().zip(IC..) {
            *section = container.section(id)?;
        }
        let header = read_header(&container, head)?;
        let mut sizes = Sizes {
            n_vars: u32_at(&header, N_VARS),
            n_public: u32_at(&header, N_PUBLIC),
            domain_size: u32_at(&header, DOMAIN_SIZE),
            coefficients: 0,
        };
        check_sizes(&container, head, &sizes)?;
        for section in sections.iter().filter(|section| section.id != COEFFICIENTS) {
            container.check_len(*section, sizes.expected_bytes(section.id))?;
        }
        let [_, coefficients, ..] = sections;
        sizes.coefficients = u32::from_le_bytes(container.read_first(coefficients)?);
        container.check_len(coefficients, sizes.expected_bytes(COEFFICIENTS))?;
        Ok(Self { container, header, head, sections, sizes })
    }

    /// The sections from 3 to 9.
    pub(crate) fn sections(&self) -> &[Section; 7] {
        &self.sections
    }

    /// The section `id`, from 3 to 9.
    ///
    /// # Errors
    /// None: the section was there when the file was opened.
    pub(crate) fn section(&self, id: u32) -> Result<Section, FileError> {
        self.container.section(id)
    }

    /// Whether the key was made for development, from secrets that everybody knows.
    pub(crate) fn is_unsafe_dev(&self) -> bool {
        self.container.is_marked()
    }

    /// The file.
    pub(crate) fn source(&self) -> &'a dyn Source {
        self.container.source()
    }

    /// The six points of the header, checked in full.
    ///
    /// # Errors
    /// [`FileError::NonCanonical`], [`FileError::NotOnCurve`], [`FileError::PointAtInfinity`],
    /// [`FileError::NotInSubgroup`], and [`Error::InsecureKey`] unless `allow_insecure`.
    pub(crate) fn header_points(&self, allow_insecure: bool) -> Result<HeaderPoints, Error> {
        let mut at = POINTS;
        let points = HeaderPoints {
            alpha1: self.header_point::<Fq>("alpha1", &mut at)?,
            beta1: self.header_point("beta1", &mut at)?,
            beta2: self.header_point("beta2", &mut at)?,
            gamma2: self.header_point("gamma2", &mut at)?,
            delta1: self.header_point("delta1", &mut at)?,
            delta2: self.header_point("delta2", &mut at)?,
        };
        let is_insecure = self.is_unsafe_dev() || points.gamma2 == points.delta2;
        if is_insecure && !allow_insecure {
            let is_unsafe_dev = self.is_unsafe_dev();
            return Err(Error::InsecureKey { file: self.container.file(), is_unsafe_dev });
        }
        Ok(points)
    }

    fn header_point<F: CurveField>(&self, name: &str, at: &mut usize) -> Result<Affine<F>, Error> {
        let bytes = &self.header[*at..*at + Affine::<F>::BYTES];
        let place = || self.container.place(self.head, wide(*at));
        let point = Affine::<F>::read_montgomery(bytes)
            .map_err(|error| FileError::of_point(error, place(), name.to_owned()))?;
        if point.is_infinity() {
            return Err(FileError::PointAtInfinity { place: place(), what: name.to_owned() }.into());
        }
        if !point.is_in_subgroup() {
            return Err(FileError::NotInSubgroup { place: place(), what: name.to_owned() }.into());
        }
        *at += bytes.len();
        Ok(point)
    }
}

impl Sizes {
    /// How long a section from 3 to 9 must be.
    pub(crate) fn expected_bytes(&self, id: u32) -> u64 {
        let [n_vars, n_public] = [self.n_vars, self.n_public].map(u64::from);
        match id {
            IC => G1_BYTES * (n_public + 1),
            COEFFICIENTS => {
                wide(COUNT_BYTES) + wide(COEFFICIENT_BYTES) * u64::from(self.coefficients)
            }
            A | B1 => G1_BYTES * n_vars,
            B2 => G2_BYTES * n_vars,
            L => G1_BYTES * n_vars.saturating_sub(n_public + 1),
            _ => G1_BYTES * u64::from(self.domain_size),
        }
    }
}

/// What is wrong with point `index` of a section, `bytes` bytes for each point.
pub(crate) fn section_point_error(
    source: &dyn Source,
    section: Section,
    (index, bytes): (usize, usize),
    error: PointError,
) -> Error {
    let place = place(source, section, wide(index.saturating_mul(bytes)));
    FileError::of_point(error, place, format!("point {index}")).into()
}

/// Which other sections are needed depends on the protocol, so it is looked at first.
fn check_protocol(container: &Container<'_>) -> Result<(), Error> {
    let section = container.section(1)?;
    container.check_len(section, 4)?;
    let got = match u32::from_le_bytes(container.read_first(section)?) {
        1 => return Ok(()),
        2 => "a PLONK key (protocol 2)".to_owned(),
        10 => "an FFLONK key (protocol 10)".to_owned(),
        other => format!("a key of protocol {other}"),
    };
    Err(Error::UnsupportedProtocol { place: container.place(section, 0), got })
}

fn read_header(container: &Container<'_>, head: Section) -> Result<[u8; HEADER_BYTES], Error> {
    let refuse = |at: usize, got: String| {
        Err(FileError::UnsupportedCurve { place: container.place(head, wide(at)), got }.into())
    };
    let n8q = u32::from_le_bytes(container.read_first(head)?);
    if n8q != 32 {
        // Such a header is longer, so its length says nothing.
        return refuse(N8Q, format!("coordinates of {n8q} bytes (BLS12-381 has 48)"));
    }
    container.check_len(head, wide(HEADER_BYTES))?;
    let header: [u8; HEADER_BYTES] = container.read_first(head)?;
    if read_limbs(&header, Q) != Fq::MODULUS {
        return refuse(Q, "another prime q".to_owned());
    }
    if u32_at(&header, N8R) != 32 {
        return refuse(N8R, format!("scalars of {} bytes", u32_at(&header, N8R)));
    }
    if read_limbs(&header, R) != Fr::MODULUS {
        return refuse(R, "another prime r".to_owned());
    }
    Ok(header)
}

fn check_sizes(container: &Container<'_>, head: Section, sizes: &Sizes) -> Result<(), Error> {
    let &Sizes { n_vars, n_public, domain_size, .. } = sizes;
    let refuse = |at: usize, expected: String, got| {
        Err(FileError::BadHeader { place: container.place(head, wide(at)), expected, got }.into())
    };
    if n_vars <= n_public {
        return refuse(N_VARS, format!("more wires than the {n_public} public ones"), n_vars);
    }
    if !domain_size.is_power_of_two() || !(2..=DOMAIN_SIZE_MAX).contains(&domain_size) {
        let expected = "a domain size that is a power of two from 2 to 2^27".to_owned();
        return refuse(DOMAIN_SIZE, expected, domain_size);
    }
    if domain_size <= n_public {
        let expected = format!("a domain larger than the {n_public} public wires");
        return refuse(DOMAIN_SIZE, expected, domain_size);
    }
    Ok(())
}
