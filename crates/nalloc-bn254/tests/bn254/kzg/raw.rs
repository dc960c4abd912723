//! Flat files of points, in the layouts of the ceremonies that publish them.

use nalloc_bn254::kzg::{FirstPower, RawLayout, Srs, SrsOptions};
use nalloc_bn254::{Encoding, Error, Fq, G1Affine, G2Affine, Pool};
use testkit::TempDir;

use super::ptau::{options, tau};

const LEN: usize = 20;

fn known(pool: &Pool) -> Srs {
    Srs::unsafe_for_tests(tau(), LEN, pool).expect("a good tau")
}

/// The bytes of points, after some that are none.
fn file(encoding: Encoding, skip: usize, points: &[G1Affine]) -> Vec<u8> {
    let mut bytes = vec![0xee; skip + points.len() * encoding.point_bytes::<Fq>()];
    encoding.write_points(points, &mut bytes[skip..]).expect("points with a form");
    bytes
}

#[test]
fn every_layout_is_read() {
    let pool = Pool::new(Some(2)).expect("threads");
    let (known, dir) = (known(&pool), TempDir::new());
    let tau_g2 = known.verifier().tau_g2();
    for encoding in Encoding::ALL {
        for (first, points) in
            [(FirstPower::Generator, known.powers()), (FirstPower::Tau, &known.powers()[1..])]
        {
            for skip_bytes in [0, 28] {
                let layout = RawLayout { encoding, skip_bytes, first, tau_g2 };
                let bytes = file(encoding, usize::try_from(skip_bytes).unwrap(), points);
                let path = dir.write("g1.dat", &bytes);
                for degree_max in [1, LEN - 1] {
                    let options =
                        SrsOptions { lagrange_log2: Some(1), ..options(&pool, degree_max) };
                    for read in [
                        Srs::from_raw(&bytes, &layout, &options),
                        Srs::read_raw(&path, &layout, &options),
                    ] {
                        let srs = read.expect("a good file");
                        assert_eq!(srs.powers(), &known.powers()[..=degree_max]);
                        assert_eq!(srs.lagrange().map(<[_]>::len), Some(2));
                    }
                }
                let said = Srs::from_raw(&bytes, &layout, &options(&pool, LEN));
                let said = said.expect_err("one power too many").to_string();
                assert!(said.contains("at least 21 powers of tau, got 20"), "{said}");
            }
        }
    }
}

#[test]
fn wrong_points_are_named_by_their_place_in_the_file() {
    let pool = Pool::new(Some(1)).expect("a thread");
    let known = known(&pool);
    let tau_g2 = known.verifier().tau_g2();
    let (encoding, skip_bytes, first) = (Encoding::Ignition, 28, FirstPower::Tau);
    let layout = RawLayout { encoding, skip_bytes, first, tau_g2 };
    let said = |edit: &dyn Fn(&mut Vec<u8>), layout: &RawLayout| {
        let mut bytes = file(encoding, 28, &known.powers()[1..]);
        edit(&mut bytes);
        let read = Srs::from_raw(&bytes, layout, &options(&pool, LEN - 1));
        let Err(error) = read else { panic!("{read:?}") };
        let code = if let Error::File(error) = &error { error.code() } else { "" };
        (code, error.to_string())
    };
    let at = |index: usize| 28 + 64 * index;

    let (code, message) = said(&|bytes| bytes[at(4) + 7] ^= 1, &layout);
    assert_eq!(code, "ERR_NOT_ON_CURVE", "{message}");
    assert!(message.starts_with("x.ptau, byte 284: point 4: "), "{message}");
    let (code, message) = said(&|bytes| bytes[at(3) + 24] = 0xff, &layout);
    assert_eq!(code, "ERR_NON_CANONICAL", "{message}");
    let (code, message) = said(&|bytes| bytes[at(0)..at(1)].fill(0), &layout);
    assert_eq!(code, "ERR_POINT_AT_INFINITY", "{message}");
    // The power after the third point that was left alone is the fourth of tau.
    let (code, message) = said(&|bytes| bytes.copy_within(at(0)..at(1), at(3)), &layout);
    assert_eq!(code, "ERR_BAD_SRS", "{message}");
    assert!(message.starts_with("x.ptau, byte 220: power 4: "), "{message}");
    let (code, message) = said(&|bytes| bytes.truncate(at(19) - 1), &layout);
    assert_eq!(code, "ERR_DEGREE", "{message}");
    let (code, message) = said(&|bytes| bytes.clear(), &layout);
    assert_eq!(code, "ERR_DEGREE", "{message}");

    let other = RawLayout { first: FirstPower::Generator, ..layout };
    let short =
        Srs::from_raw(&file(encoding, 28, &known.powers()[1..]), &other, &options(&pool, LEN - 2));
    assert!(short.is_err_and(|error| error.to_string().contains("power 0: ")));
    let other = RawLayout { tau_g2: G2Affine::GENERATOR, ..layout };
    let (code, message) = said(&|_| (), &other);
    assert!(code == "ERR_BAD_SRS" && message.contains("power 1: "), "{message}");
    let other = RawLayout { tau_g2: G2Affine::INFINITY, ..layout };
    let (_, message) = said(&|_| (), &other);
    assert!(message.ends_with("got infinity"), "{message}");
}
