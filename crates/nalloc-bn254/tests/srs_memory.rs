//! How much memory reading an SRS takes: never more than the limit that it is refused above, and not
//! much less. Alone in its process, as the counters are those of the process.

use nalloc_bn254::kzg::{FirstPower, RawLayout, Srs, SrsOptions};
use nalloc_bn254::{Encoding, Error, Field, Fq, Fr, Pool};

/// What the estimate may be above the truth beside a half of it: arenas round up.
const ROUNDING_BYTES: usize = 1 << 20;

#[test]
fn reading_takes_what_its_limit_says() {
    let pool = Pool::new(Some(2)).expect("threads");
    let encoding = Encoding::Ethereum;
    // The first one brings what lives as long as the process: tables of transforms.
    for (log2, lagrange_log2) in [(10, Some(10)), (10, Some(10)), (16, None), (17, Some(8))] {
        let known = Srs::unsafe_for_tests(Fr::from_u64(7), 1 << log2, &pool).expect("powers");
        let mut bytes = vec![0; known.powers().len() * encoding.point_bytes::<Fq>()];
        encoding.write_points(known.powers(), &mut bytes).expect("finite points");
        let (tau_g2, first) = (known.verifier().tau_g2(), FirstPower::Generator);
        drop(known);
        let layout = RawLayout { encoding, skip_bytes: 0, first, tau_g2 };
        let read = |limit: usize| {
            let (observer, degree_max) = (&(), (1 << log2) - 1);
            let (memory_limit_bytes, name) = (Some(limit), "x");
            let pool = &pool;
            let options =
                SrsOptions { pool, observer, degree_max, lagrange_log2, memory_limit_bytes, name };
            Srs::from_raw(&bytes, &layout, &options)
        };
        let Err(Error::MemoryLimit { needed, .. }) = read(0) else { panic!("0 bytes are enough") };
        let live = nalloc::stats().live_bytes;
        nalloc::reset_peak();

        let srs = read(needed).expect("a good file");

        let peak = usize::try_from(nalloc::stats().peak_live_bytes - live).expect("bytes");
        assert_eq!(srs.powers().len(), 1 << log2);
        println!("2^{log2}: {peak} of {needed} bytes");
        assert!(peak <= needed, "2^{log2}: {peak} of {needed} bytes");
        assert!(needed <= peak + peak / 2 + ROUNDING_BYTES, "2^{log2}: {peak} of {needed} bytes");
    }
}
