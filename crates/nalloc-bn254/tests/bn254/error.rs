//! What errors are called, which is what programs compare with.

use nalloc_bn254::file::FileError;
use nalloc_bn254::{Error, PointError};

#[test]
fn every_error_has_the_code_of_what_is_wrong_and_nothing_that_a_caller_causes_is_internal() {
    let file = FileError::InsecureSrs { file: "x.ptau".to_owned() };
    let rows = [
        (Error::Cancelled, "ERR_CANCELLED"),
        (Error::File(file), "ERR_INSECURE_SRS"),
        (Error::Memory(nalloc::MapFailed::LengthOverflow), "ERR_NO_MEMORY"),
        (Error::ThreadStart { threads: 9, reason: "EAGAIN".to_owned() }, "ERR_NO_MEMORY"),
        (Error::DomainTooLarge { log2: 29, log2_max: 28 }, "ERR_DOMAIN"),
        (Error::NotPowerOfTwo { what: "values", got: 3 }, "ERR_DOMAIN"),
        (Error::TooManyCoefficients { max: 4, got: 5 }, "ERR_DOMAIN"),
        (Error::CosetMismatch, "ERR_DOMAIN"),
        (Error::LengthMismatch { what: "scalars", expected: 2, got: 1 }, "ERR_LENGTH_MISMATCH"),
        (Error::ScalarNotCanonical { index: 1 }, "ERR_NON_CANONICAL"),
        (Error::PointNotCanonical { index: 1 }, "ERR_NON_CANONICAL"),
        (Error::ElementNotCanonical { field: "Fr", index: 1 }, "ERR_NON_CANONICAL"),
        (Error::DivisionByZero, "ERR_INVALID_ARG"),
        (Error::ValueIsZero { index: 1 }, "ERR_INVALID_ARG"),
        (Error::ShiftIsZero, "ERR_INVALID_ARG"),
        (Error::PointRepeated { index: 2, first: 1 }, "ERR_INVALID_ARG"),
        (Error::RepeatedPoint { polynomial: 1 }, "ERR_INVALID_ARG"),
        (Error::Empty { what: "points" }, "ERR_INVALID_ARG"),
        (Error::TooManyPoints { max: 1, got: 2 }, "ERR_INVALID_ARG"),
        (Error::ThreadCount { max: 1024, got: 0 }, "ERR_INVALID_ARG"),
        (Error::DegreeTooLarge { degree: 2, degree_max: 1 }, "ERR_DEGREE"),
        (Error::MemoryLimit { needed: 2, limit: 1 }, "ERR_LIMIT"),
        (Error::SrsRefused { expected: "2 powers", got: "fewer" }, "ERR_BAD_SRS"),
        (Error::SrsPointRefused { what: "power", index: 1 }, "ERR_BAD_SRS"),
    ];
    let points = [
        (PointError::Length { expected: 64, got: 1 }, "ERR_BAD_ENCODING"),
        (PointError::NonCanonical, "ERR_NON_CANONICAL"),
        (PointError::NotOnCurve, "ERR_NOT_ON_CURVE"),
        (PointError::NotInSubgroup, "ERR_NOT_IN_SUBGROUP"),
        (PointError::Infinity, "ERR_POINT_AT_INFINITY"),
        (PointError::InfinityWithCoordinates, "ERR_BAD_ENCODING"),
        (PointError::Flags { got: 7 }, "ERR_BAD_ENCODING"),
    ];

    for (error, code) in rows {
        assert_eq!(error.code(), code, "{error}");
    }
    for (reason, code) in points {
        assert_eq!(reason.code(), code, "{reason}");
        assert_eq!(Error::Point { index: 1, reason }.code(), code);
    }
    // No caller makes the system run out of random numbers.
    assert_eq!(Error::Random { reason: String::new() }.code(), "ERR_INTERNAL");
}
