//! Digits put together again are the scalar.

use super::{CLASS_BITS, ClassCounts, POINTS_MAX, Recoded, Windows, halved, recode};
use crate::curve::G1Affine;
use crate::field::{Field, Fr};

/// Scalars whose digits carry in every possible way.
fn scalars() -> Vec<Fr> {
    let two = Fr::from_u64(2);
    let half = two.invert().unwrap();
    let mut scalars = vec![Fr::ONE, -Fr::ONE, half, -half, half - Fr::ONE, Fr::from_u64(u64::MAX)];
    for bit in 0..254 {
        let power = two.pow(&[bit]);
        scalars.extend([power, -power, power - Fr::ONE, power + Fr::ONE]);
    }
    scalars.extend((0..64u8).map(|seed| Fr::from_uniform_bytes(&[seed; 64])));
    scalars.retain(|scalar| !scalar.is_zero());
    scalars
}

/// The scalar that the digits of all windows stand for.
fn value(recoded: &Recoded, windows: Windows) -> Fr {
    let base = Fr::from_u64(1 << windows.bits());
    (0..windows.count()).rev().fold(Fr::ZERO, |sum, window| {
        let digit = recoded.digit(windows, window).map_or(Fr::ZERO, |digit| {
            assert!(digit.bucket < windows.bucket_count());
            let size = Fr::from_u64(digit.bucket as u64 + 1);
            if digit.negative == 0 { size } else { -size }
        });
        sum * base + digit
    })
}

#[test]
fn the_digits_of_every_width_stand_for_the_scalar() {
    let scalars = scalars();
    let plain: Vec<[u64; 4]> = scalars.iter().map(|scalar| scalar.to_plain()).collect();
    let bases = vec![G1Affine::GENERATOR; scalars.len()];
    let counts = ClassCounts::of(&bases, &plain, &()).unwrap();

    for bits in Windows::BITS_MIN..=Windows::BITS_MAX {
        let windows = Windows::new(bits);
        let mut recoded = vec![Recoded { biased: [0; 4], point_and_sign: 0 }; counts.total()];
        recode(&bases, &plain, &counts, windows, &mut recoded, &()).unwrap();
        for entry in &recoded {
            assert_eq!(value(entry, windows), scalars[entry.point()], "{bits} bits");
        }
    }
}

#[test]
fn a_window_is_reached_by_every_scalar_that_has_a_digit_there() {
    let plain: Vec<[u64; 4]> = scalars().iter().map(|scalar| scalar.to_plain()).collect();
    let bases = vec![G1Affine::GENERATOR; plain.len()];
    let counts = ClassCounts::of(&bases, &plain, &()).unwrap();

    for bits in Windows::BITS_MIN..=Windows::BITS_MAX {
        let windows = Windows::new(bits);
        let mut recoded = vec![Recoded { biased: [0; 4], point_and_sign: 0 }; counts.total()];
        recode(&bases, &plain, &counts, windows, &mut recoded, &()).unwrap();
        let mut next = 0;
        for group in counts.groups(windows) {
            assert_eq!(group.windows.start, next);
            next = group.windows.end;
            for window in group.windows {
                let beyond = &recoded[group.scalars..];
                assert!(beyond.iter().all(|entry| entry.digit(windows, window).is_none()));
            }
        }
        assert_eq!(next, windows.count());
    }
}

#[test]
fn zeros_and_points_at_infinity_do_not_count() {
    let bases = [G1Affine::GENERATOR, G1Affine::INFINITY, G1Affine::GENERATOR];
    let counts = ClassCounts::of(&bases, &[[0; 4], [1, 0, 0, 0], [2, 0, 0, 0]], &()).unwrap();

    assert_eq!(counts.total(), 1);
}

#[test]
fn minus_one_is_as_short_as_one() {
    assert_eq!(halved(&(-Fr::ONE).to_plain()), ([1, 0, 0, 0], true));
    assert_eq!(halved(&[1, 0, 0, 0]), ([1, 0, 0, 0], false));
}

#[test]
fn an_index_and_a_sign_fit_32_bits() {
    assert_eq!((POINTS_MAX - 1) << 1 | 1, u32::MAX as usize);
    assert_eq!(CLASS_BITS * 16, 256);
}
