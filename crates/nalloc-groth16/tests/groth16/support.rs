//! Keys and witnesses for the other modules.

use std::sync::OnceLock;

use nalloc_bn254::{Fr, G2Affine, Pool};
use nalloc_groth16::{Error, Proof, ProveOptions, ProvingKey, ReadOptions, Witness};
use testkit::files::Fixture;
use testkit::malformed::Base;

/// A pool for all tests of this program.
pub fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| Pool::new(Some(2)).expect("a pool of two threads"))
}

/// The good pair of files that malformed ones are made from.
pub fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(Base::new)
}

/// How keys are read unless a test says otherwise.
pub fn reading(name: &str) -> ReadOptions<'_> {
    let memory_limit_bytes = None;
    let (observer, allow_insecure, table_bytes_max) = (&(), false, 0);
    ReadOptions {
        pool: pool(),
        observer,
        allow_insecure,
        memory_limit_bytes,
        table_bytes_max,
        name,
    }
}

/// How a key is opened whose forged proofs would pass too.
pub fn allowing(name: &str) -> ReadOptions<'_> {
    ReadOptions { allow_insecure: true, ..reading(name) }
}

/// A key and a witness.
pub struct Pair {
    pub key: ProvingKey,
    pub witness: Witness,
}

impl Pair {
    /// The files of a circuit of the testkit.
    pub fn of(fixture: &Fixture) -> Self {
        Self::read(&fixture.zkey, &fixture.wtns).expect(fixture.name)
    }

    /// Any files.
    pub fn read(zkey: &[u8], wtns: &[u8]) -> Result<Self, Error> {
        let key = ProvingKey::from_bytes(zkey, &reading("key.zkey"))?;
        Ok(Self { key, witness: Witness::from_bytes(wtns, "witness.wtns")? })
    }

    /// The proof for a fixed blinding, or a fresh one.
    pub fn prove(&self, blinding: Option<(Fr, Fr)>) -> Result<(Proof, Vec<Fr>), Error> {
        self.key.prove(&self.witness, &ProveOptions { blinding, ..ProveOptions::new(pool()) })
    }
}

/// A point of the curve of G2 that is not of order r: (1, sqrt(1 + B)).
pub fn outside_of_g2() -> G2Affine {
    let cases = testkit::malformed::cases(base());
    let case = cases.iter().find(|case| case.name == "zkey_delta2_outside_of_g2");
    let zkey = case.and_then(|case| case.zkey.as_ref()).expect("a key of its own");
    // 12 bytes of file header, 16 of section 1, 12 of the head of section 2, 532 up to delta2.
    let at = 12 + 16 + 12 + 532;
    G2Affine::read_montgomery(&zkey[at..at + 128]).expect("a point of the curve")
}
