//! Buffers: aligned, zeroed, as long as asked, and silent about what they hold.

use nalloc_bn254::{Error, Field, Fr, HeapBuffer};

#[test]
fn buffers_of_all_sizes_are_zeroed_and_aligned_to_a_cache_line() {
    for len in [0, 1, 3, 2047, 2048, 5000] {
        let buffer = HeapBuffer::<Fr>::zeroed(len).unwrap();

        assert_eq!(buffer.len(), len);
        assert_eq!(buffer.as_ptr().addr() % 64, 0);
        assert_eq!(buffer.as_bytes().len(), 32 * len);
        assert!(buffer.iter().all(Fr::is_zero));
    }
}

#[test]
fn bytes_written_into_place_are_the_elements() {
    let mut buffer = HeapBuffer::<Fr>::zeroed(2).unwrap();
    buffer.as_bytes_mut()[32..].copy_from_slice(&Fr::from_u64(5).to_montgomery_le_bytes());

    if cfg!(target_endian = "little") {
        assert_eq!(*buffer, [Fr::ZERO, Fr::from_u64(5)]);
    }
}

#[test]
fn a_wiped_buffer_is_zero() {
    let mut buffer = HeapBuffer::from_slice(&[7u64; 1000]).unwrap();
    buffer.wipe();

    assert_eq!(*buffer, [0; 1000]);
}

#[test]
fn a_length_that_no_address_space_holds_is_an_error() {
    let refused = HeapBuffer::<Fr>::zeroed(usize::MAX / 16).err().map(Error::from);

    assert_eq!(refused, Some(Error::Memory(nalloc::Error::LengthOverflow)));
}

#[test]
fn printing_a_buffer_shows_no_element() {
    let buffer = HeapBuffer::from_slice(&[123_456_789_u64; 3]).unwrap();

    assert_eq!(format!("{buffer:?}"), "HeapBuffer(3 elements)");
}
