//! `VerifyingKey`: the public half of a key, from a proving key or from `verification_key.json`.

use std::path::Path;
use std::sync::OnceLock;

use nalloc_bn254::curve::validate_points;
use nalloc_bn254::file::{FileError, Place, RegularFile, Slice, Source, Spot, index, wide};
use nalloc_bn254::pairing::{Lines, MillerLoops, pairing};
use nalloc_bn254::{Affine, G1Affine, G2Affine, HeapBuffer};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::json::{Fault, JsonField, ObjectWriter, point};
use crate::key::ReadOptions;
use crate::zkey::{IC, Zkey, section_point_error};

/// What verifies proofs of one circuit; every point is of its group, and only points of `IC` may be
/// infinity.
#[derive(Debug)]
pub struct VerifyingKey {
    pub(crate) alpha1: G1Affine,
    pub(crate) beta2: G2Affine,
    pub(crate) gamma2: G2Affine,
    pub(crate) delta2: G2Affine,
    /// One point for the constant wire and one for each public one.
    pub(crate) ic: HeapBuffer<G1Affine>,
    /// What all checks share, from the first one on.
    pub(crate) fixed: OnceLock<FixedPairings>,
}

/// What a check has of its key alone.
#[derive(Debug)]
pub(crate) struct FixedPairings {
    /// The loop of alpha and beta.
    pub(crate) alpha_beta: MillerLoops,
    pub(crate) gamma2: Lines,
    pub(crate) delta2: Lines,
}

impl VerifyingKey {
    /// Reads the text of a `verification_key.json`; `name` is what messages call it.
    ///
    /// A precomputed pairing in it is ignored: it could be a lie.
    ///
    /// # Errors
    /// [`Error::Argument`] for what is not such a text, [`Error::UnsupportedProtocol`],
    /// [`FileError::UnsupportedCurve`], [`FileError::NonCanonical`], [`FileError::NotOnCurve`],
    /// [`FileError::PointAtInfinity`], [`FileError::NotInSubgroup`], [`Error::Memory`].
    pub fn from_json(text: &[u8], name: &str) -> Result<Self, Error> {
        let value: Value = serde_json::from_slice(text).map_err(|error| Error::Argument {
            name: name.to_owned(),
            expected: "the JSON text of a verification key",
            got: error.to_string(),
        })?;
        let empty = Map::new();
        let fields = Fields { name, fields: value.as_object().unwrap_or(&empty) };
        if fields.text("protocol")? != "groth16" {
            let (place, got) = (fields.place("protocol"), "one of another protocol".to_owned());
            return Err(Error::UnsupportedProtocol { place, got });
        }
        if fields.text("curve")? != "bn128" {
            let (place, got) = (fields.place("curve"), "one of another curve".to_owned());
            return Err(FileError::UnsupportedCurve { place, got }.into());
        }
        let key = Self {
            ic: fields.ic()?,
            alpha1: fields.finite_point("vk_alpha_1")?,
            beta2: fields.finite_point("vk_beta_2")?,
            gamma2: fields.finite_point("vk_gamma_2")?,
            delta2: fields.finite_point("vk_delta_2")?,
            fixed: OnceLock::new(),
        };
        Ok(key)
    }

    /// The verifying key in the `.zkey` file at `path`, of which no more than that is read.
    ///
    /// # Errors
    /// Those of [`ProvingKey::read`](crate::ProvingKey::read) about the container, the header and
    /// the points of signals.
    pub fn read_zkey(path: &Path, options: &ReadOptions<'_>) -> Result<Self, Error> {
        Self::from_source(&RegularFile::open(path, options.name)?, options)
    }

    /// As [`read_zkey`](Self::read_zkey), of the bytes of the file.
    ///
    /// # Errors
    /// As `read_zkey`.
    pub fn from_zkey(bytes: &[u8], options: &ReadOptions<'_>) -> Result<Self, Error> {
        Self::from_source(&Slice { name: options.name, bytes }, options)
    }

    fn from_source(source: &dyn Source, options: &ReadOptions<'_>) -> Result<Self, Error> {
        let zkey = Zkey::open(source, options.observer)?;
        let header = zkey.header_points(options.allow_insecure)?;
        let count = index(zkey.sizes.n_public) + 1;
        let needed = wide(count * G1Affine::BYTES);
        if let Some(limit) = options.memory_limit_bytes.filter(|&limit| needed > limit) {
            return Err(Error::Limit { what: "the verifying key", needed, limit });
        }
        let section = zkey.section(IC)?;
        let mut ic = HeapBuffer::<G1Affine>::zeroed(count)?;
        source.read_at(section.offset, ic.as_bytes_mut())?;
        validate_points(&ic, options.pool).map_err(|(index, error)| {
            section_point_error(source, section, (index, G1Affine::BYTES), error)
        })?;
        source.check_unchanged()?;
        let (alpha1, beta2) = (header.alpha1, header.beta2);
        let (gamma2, delta2) = (header.gamma2, header.delta2);
        Ok(Self { alpha1, beta2, gamma2, delta2, ic, fixed: OnceLock::new() })
    }

    /// Whether gamma equals delta: nobody contributed to the second phase of the setup, so that
    /// everybody can forge proofs that this key accepts.
    #[must_use]
    pub fn is_insecure(&self) -> bool {
        self.gamma2 == self.delta2
    }

    /// The text of `verification_key.json`, without the precomputed pairing.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.write_json(|_| ())
    }

    /// As [`to_json`](Self::to_json), with the pairing of alpha and beta, as snarkjs exports it. No
    /// verifier should believe it, but there are some that want it.
    #[must_use]
    pub fn to_json_with_pairing(&self) -> String {
        let value = pairing(self.alpha1, self.beta2);
        self.write_json(|object| object.pairing("vk_alphabeta_12", &value))
    }

    /// `write_pairing` adds what stands before the points of signals.
    fn write_json(&self, write_pairing: impl FnOnce(&mut ObjectWriter)) -> String {
        let mut object = ObjectWriter::new();
        object.text("protocol", "groth16");
        object.text("curve", "bn128");
        object.integer("nPublic", self.n_public());
        object.g1("vk_alpha_1", &self.alpha1);
        object.g2("vk_beta_2", &self.beta2);
        object.g2("vk_gamma_2", &self.gamma2);
        object.g2("vk_delta_2", &self.delta2);
        write_pairing(&mut object);
        object.g1_list("IC", &self.ic);
        object.finish()
    }

    /// What a check has of this key alone, made once.
    pub(crate) fn fixed(&self) -> &FixedPairings {
        self.fixed.get_or_init(|| FixedPairings {
            alpha_beta: MillerLoops::of(&[(self.alpha1, &Lines::new(&self.beta2))]),
            gamma2: Lines::new(&self.gamma2),
            delta2: Lines::new(&self.delta2),
        })
    }

    /// Public signals that a proof for this key has.
    #[must_use]
    pub fn n_public(&self) -> u32 {
        // Both ways to make a key count with 32 bits and store one point more.
        u32::try_from(self.ic.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }
}

/// The fields of a JSON object, and what messages call it.
struct Fields<'a> {
    name: &'a str,
    fields: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn place(&self, field: &str) -> Place {
        Place { file: self.name.to_owned(), spot: Spot::Field(field.to_owned()) }
    }

    fn refuse<T>(&self, field: &str, expected: &'static str, got: &str) -> Result<T, Error> {
        let (name, got) = (self.place(field).to_string(), got.to_owned());
        Err(Error::Argument { name, expected, got })
    }

    fn get(&self, field: &str) -> Result<&'a Value, Error> {
        let value = self.fields.get(field);
        value.map_or_else(|| self.refuse(field, "this field of a verification key", "none"), Ok)
    }

    fn text(&self, field: &str) -> Result<&'a str, Error> {
        let text = self.get(field)?.as_str();
        text.map_or_else(|| self.refuse(field, "a string", "something else"), Ok)
    }

    fn ic(&self) -> Result<HeapBuffer<G1Affine>, Error> {
        let n_public = self.get("nPublic")?.as_u64().and_then(|count| u32::try_from(count).ok());
        let Some(points) = self.get("IC")?.as_array() else {
            return self.refuse("IC", "an array of points", "something else");
        };
        let count = n_public.and_then(|count| index(count).checked_add(1));
        if count != Some(points.len()) {
            let got = format!("{} points", points.len());
            return self.refuse("IC", "one point more than nPublic, an integer", &got);
        }
        let mut ic = HeapBuffer::zeroed(points.len())?;
        for (index, (entry, value)) in ic.iter_mut().zip(points).enumerate() {
            *entry = self.point(&format!("IC[{index}]"), value)?;
        }
        Ok(ic)
    }

    fn finite_point<F: JsonField>(&self, field: &str) -> Result<Affine<F>, Error> {
        let read = self.point(field, self.get(field)?)?;
        if read.is_infinity() {
            let what = "the point".to_owned();
            return Err(FileError::PointAtInfinity { place: self.place(field), what }.into());
        }
        Ok(read)
    }

    fn point<F: JsonField>(&self, field: &str, value: &Value) -> Result<Affine<F>, Error> {
        point(value).or_else(|fault| {
            let (place, what) = (self.place(field), "the point".to_owned());
            Err(Error::File(match fault {
                Fault::Encoding => {
                    let expected = "a point as [x, y, \"1\"] in decimal strings";
                    return self.refuse(field, expected, "something else");
                }
                Fault::Range => FileError::NonCanonical { place, what },
                Fault::NotOnCurve => FileError::NotOnCurve { place, what },
                Fault::NotInSubgroup => FileError::NotInSubgroup { place, what },
            }))
        })
    }
}
