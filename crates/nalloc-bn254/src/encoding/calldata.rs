//! Arguments of Solidity functions: words of 32 bytes as text, in the order of EIP-196 and EIP-197.
//!
//! What comes out can be pasted into a call, as what `snarkjs generatecall` prints can: a point of
//! G1 for `uint256[2]`, one of G2 for `uint256[4]`, a scalar for `uint256`.

use super::{Coordinate, Encoding};
use crate::curve::{Affine, G1Affine};
use crate::field::Fr;

/// A point as an array of words: `["0x..","0x.."]`, x before y, of G2 the factor of u first.
///
/// ```
/// use nalloc_bn254::{G1Affine, encoding::point_calldata};
///
/// let text = point_calldata(&G1Affine::GENERATOR);
/// assert!(text.starts_with("[\"0x0000") && text.ends_with("0002\"]"));
/// ```
#[must_use]
pub fn point_calldata<F: Coordinate>(point: &Affine<F>) -> String {
    let mut bytes = vec![0; Encoding::Ethereum.point_bytes::<F>()];
    // There is room for it, and infinity has a form.
    let _ = Encoding::Ethereum.write_point(point, &mut bytes);
    let words: Vec<String> = bytes.as_chunks().0.iter().map(word).collect();
    format!("[{}]", words.join(","))
}

/// A scalar as a word: `"0x.."`.
#[must_use]
pub fn scalar_calldata(scalar: Fr) -> String {
    word(&scalar.to_be_bytes())
}

/// The arguments of a function that checks one opening: the commitment, the point, the value there
/// and the proof, which is `(uint256[2], uint256, uint256, uint256[2])`.
#[must_use]
pub fn opening_calldata(commitment: &G1Affine, point: Fr, value: Fr, proof: &G1Affine) -> String {
    let [point, value] = [point, value].map(scalar_calldata);
    format!("{},{point},{value},{}", point_calldata(commitment), point_calldata(proof))
}

fn word(bytes: &[u8; 32]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    format!("\"0x{digits}\"")
}
