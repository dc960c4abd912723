//! An arena and a secret: `cargo run --release --example arena_and_secret`.
//!
//! Stands for one proof: the blinding is in a `SecretBuf`, everything derived from the witness in a
//! secret arena that threads share, and both leave nothing behind.

use std::thread;

use nalloc::{Arena, Error, NAlloc, Require, SecretBuf};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const SIGNALS: usize = 1 << 18;
const THREADS: usize = 4;
const KEY_BYTES: usize = 32;

fn main() -> Result<(), Error> {
    // Filled in place: a key that was a local variable first would leave a copy on the stack.
    let mut blinding = SecretBuf::new(KEY_BYTES)?;
    blinding.as_mut_slice().fill(0x5a);
    // What the kernel refuses is no error, unless it is asked for.
    println!("blinding    {blinding:?}, {:?}", blinding.status());
    blinding.require(Require { hidden_from_dumps: true, ..Require::default() })?;

    let bytes = 2 * SIGNALS * size_of::<u64>();
    let mut arena = Arena::builder().capacity_bytes(bytes).secret(true).build()?;
    for proof in 1..=2 {
        let witness = arena.alloc_array::<u64>(SIGNALS);
        assert!(witness.iter().all(|&value| value == 0), "the proof before left something");
        for (value, i) in witness.iter_mut().zip(1..) {
            *value = i;
        }

        let digest = digest_of_squares(&arena, witness);
        println!("proof {proof}     digest {digest:#x}, {} KiB used", arena.used_bytes() >> 10);
        // Wipes, keeps the pages, and ends every slice above: using one here would not compile.
        arena.secure_wipe();
    }

    // Sealed, no instruction of this process can read it, save inside `with`.
    let mut sealed = blinding.seal();
    println!("sealed      {sealed:?}, protected {}", sealed.is_protected());
    let parity = sealed.with(|bytes| bytes.iter().fold(0, |parity, byte| parity ^ byte))?;
    println!("opened once parity {parity}");
    Ok(())
}

/// Each thread takes its scratch from the same arena: a cursor moves, no lock is held.
fn digest_of_squares(arena: &Arena, witness: &[u64]) -> u64 {
    thread::scope(|scope| {
        let parts = witness.chunks(witness.len().div_ceil(THREADS));
        let threads: Vec<_> = parts
            .map(|part| {
                scope.spawn(|| {
                    let squares = arena.alloc_copy(part);
                    for value in squares.iter_mut() {
                        *value = value.wrapping_mul(*value);
                    }
                    squares.iter().fold(0, |digest, square| digest ^ square)
                })
            })
            .collect();
        threads.into_iter().fold(0, |digest, thread| {
            digest ^ thread.join().expect("a thread that only adds does not panic")
        })
    })
}
