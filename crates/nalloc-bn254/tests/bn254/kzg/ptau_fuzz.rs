//! What a fuzzer does with the bytes of a `.ptau`. `fuzz/` runs this for as long as it is let; what
//! it found is run again by a test for ever.

use std::sync::OnceLock;

use nalloc_bn254::kzg::{Srs, SrsOptions};
use nalloc_bn254::{Error, G1Affine, Pool};

/// Runs work and panics when that takes more memory than so many bytes at one time.
pub type Bounded = fn(u64, &mut dyn FnMut());

/// What reading may take beside the file, which has fewer than 64 points that are asked for: the
/// sums and transforms of the checks.
const BYTES_MAX: u64 = 24 << 20;
/// The most powers that an input asks for.
const DEGREE_MAX: usize = 40;

fn pool() -> &'static Pool {
    static POOL: OnceLock<Pool> = OnceLock::new();
    POOL.get_or_init(|| Pool::new(Some(1)).expect("a thread"))
}

/// Reads the bytes: an error, or points of which each is what its place says. The last two bytes
/// say what is asked for.
///
/// # Panics
/// When it takes too much memory, or when points are wrong.
pub fn read_ptau(bytes: &[u8], bounded: Bounded) {
    let (degree, domain) = match bytes {
        [.., degree, domain] => (*degree, *domain),
        _ => (1, 0),
    };
    let degree_max = usize::from(degree) % DEGREE_MAX;
    let lagrange_log2 = (domain % 2 == 1).then_some(u32::from(domain / 2) % 8);
    let (observer, memory_limit_bytes, name) = (&(), None, "x");
    let pool = pool();
    let options =
        SrsOptions { pool, observer, degree_max, lagrange_log2, memory_limit_bytes, name };
    let mut read = Err(Error::Cancelled);
    bounded(BYTES_MAX, &mut || read = Srs::from_ptau(bytes, &options));
    let Ok(srs) = read else { return };
    assert_eq!(srs.powers().len(), degree_max + 1);
    assert_eq!(srs.powers()[0], G1Affine::GENERATOR);
    assert_eq!(srs.lagrange().map(<[_]>::len), lagrange_log2.map(|log2| 1 << log2));
    let all = srs.powers().iter().chain(srs.lagrange().unwrap_or_default());
    assert!(all.into_iter().all(|point| point.validate().is_ok() && !point.is_infinity()));
}
