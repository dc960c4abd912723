//! Proofs that snarkjs 0.7.6 made: `golden/INDEX.json` and the files that it names.

use std::fs;
use std::path::{Path, PathBuf};

use nalloc_bn254::Fr;
use serde_json::Value;

/// One circuit of the index.
#[derive(Clone, Debug)]
pub struct GoldenCase {
    /// Its name, which for a synthetic one is that of a case.
    pub name: String,
    /// Whether its files are made by this crate.
    pub is_synthetic: bool,
    /// SHA-256 of its key.
    pub zkey_sha256: String,
    /// SHA-256 of its witness.
    pub wtns_sha256: String,
    /// Its proofs.
    pub vectors: Vec<Vector>,
}

/// One proof.
#[derive(Clone, Debug)]
pub struct Vector {
    /// The blinding (r, s).
    pub blinding: (Fr, Fr),
    /// The text of proof.json.
    pub proof: String,
    /// The text of public.json.
    pub public: String,
}

/// The repository's own copy of the vectors.
#[must_use]
pub fn own_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The vectors that are kept beside the repository, where there are some.
#[must_use]
pub fn shared_dir() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/groth16/golden");
    dir.is_dir().then_some(dir)
}

/// Every circuit of the index.
///
/// # Panics
/// When a file is missing or does not say what it should.
#[must_use]
pub fn cases() -> Vec<GoldenCase> {
    let dir = shared_dir().unwrap_or_else(own_dir);
    let index: Value =
        serde_json::from_str(&text_of(&dir, "INDEX.json")).expect("the index is JSON");
    let cases = index["cases"].as_array().expect("the index has cases");
    cases.iter().map(|case| read_case(&dir, case)).collect()
}

fn read_case(dir: &Path, case: &Value) -> GoldenCase {
    let text = |value: &Value| value.as_str().expect("a text in the index").to_owned();
    let scalar = |value: &Value| Fr::from_decimal(&text(value)).expect("a scalar in the index");
    let vectors = case["vectors"].as_array().expect("a case has vectors");
    let vectors = vectors.iter().map(|vector| Vector {
        blinding: (scalar(&vector["r"]), scalar(&vector["s"])),
        proof: text_of(dir, &text(&vector["proof"])),
        public: text_of(dir, &text(&vector["public"])),
    });
    GoldenCase {
        name: text(&case["name"]),
        is_synthetic: case["kind"] == "synthetic",
        zkey_sha256: text(&case["zkeySha256"]),
        wtns_sha256: text(&case["wtnsSha256"]),
        vectors: vectors.collect(),
    }
}

fn text_of(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
