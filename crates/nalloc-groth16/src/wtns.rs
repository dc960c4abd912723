//! `.wtns`: the values of a circuit's wires.

use nalloc_bn254::Fr;
use nalloc_bn254::file::{Container, Kind, Section, Source, read_limbs, u32_at, wide};

use crate::error::Error;

const WTNS: Kind =
    Kind { magic: *b"wtns", name: "a .wtns file", version_max: 2, versions: "1 or 2", mark: None };

const HEADER_BYTES: usize = 40;
/// Byte offsets inside of the header section.
const N8: usize = 0;
const PRIME: usize = 4;
const COUNT: usize = 36;
/// Bytes of one value.
pub(crate) const VALUE_BYTES: usize = 32;

/// A `.wtns` whose header and lengths were checked.
pub(crate) struct Wtns {
    /// How many values there are.
    pub(crate) count: u32,
    /// The section that holds them, 32 bytes each.
    pub(crate) values: Section,
}

impl Wtns {
    /// Reads and checks everything but the values.
    ///
    /// # Errors
    /// Those of FORMATS.md section 8 that are about the container, `ERR_SECTION_LENGTH`,
    /// [`Error::PrimeMismatch`], and what reading can give.
    pub(crate) fn open(source: &dyn Source) -> Result<Self, Error> {
        let container = Container::open(source, &WTNS, &())?;
        container.check_unique(&[1, 2])?;
        let (head, values) = (container.section(1)?, container.section(2)?);
        let refuse = |at: usize, got: String| {
            Err(Error::PrimeMismatch { place: container.place(head, wide(at)), got })
        };
        let n8 = u32::from_le_bytes(container.read_first(head)?);
        if n8 != 32 {
            return refuse(N8, format!("values of {n8} bytes"));
        }
        container.check_len(head, wide(HEADER_BYTES))?;
        let header: [u8; HEADER_BYTES] = container.read_first(head)?;
        if read_limbs(&header, PRIME) != Fr::MODULUS {
            return refuse(PRIME, "one modulo another prime".to_owned());
        }
        let count = u32_at(&header, COUNT);
        container.check_len(values, wide(VALUE_BYTES) * u64::from(count))?;
        Ok(Self { count, values })
    }
}
