//! An arena and a secret: `cargo run --release --example arena_and_secret`.
//!
//! Stands for one proof: the blinding is in a `SecretBuf`, everything derived from the witness in a
//! prover's arenas, which threads share, what was parsed in ordinary collections while a secret
//! scope is open; all of them leave nothing behind.

use std::thread;

use nalloc::{Arena, Error, NAlloc, ProverArenas, Require, SecretBuf, secret_scope};

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
    let status = blinding.status();
    println!("blinding    {blinding:?} in {}, locked {}", status.backing, status.is_locked);
    blinding.require(Require { hidden_from_dumps: true, ..Require::default() })?;

    let sized = |signals| Arena::builder().capacity_bytes(signals * size_of::<u64>());
    let mut arenas =
        ProverArenas::builder().witness(sized(SIGNALS)).scratch(sized(SIGNALS)).build()?;
    for proof in 1..=2 {
        let witness = arenas.witness.alloc_array::<u64>(SIGNALS);
        assert!(witness.iter().all(|&value| value == 0), "the proof before left something");
        parse_into(witness)?;

        let digest = digest_of_squares(&arenas.scratch, witness);
        let used_kib = arenas.witness.used_bytes() >> 10;
        println!("proof {proof}     digest {digest:#x}, {used_kib} KiB of witness");
        // Wipes, keeps the pages, and ends every slice above: using one here would not compile.
        arenas.secure_wipe();
    }

    // Sealed, no instruction of this process can read it, save inside `with`.
    let mut sealed = blinding.seal();
    println!("sealed      {sealed:?}, protected {}", sealed.is_protected());
    let parity = sealed.with(|bytes| bytes.iter().fold(0, |parity, byte| parity ^ byte))?;
    println!("opened once parity {parity}");
    Ok(())
}

/// Stands for a parser that knows nothing of secrets: its collections are wiped when they are
/// freed.
fn parse_into(witness: &mut [u64]) -> Result<(), Error> {
    let open = secret_scope()?;
    let text: Vec<String> = (1..=witness.len()).map(|signal| signal.to_string()).collect();
    for (value, word) in witness.iter_mut().zip(&text) {
        *value = word.parse().expect("the numbers that were written above");
    }
    drop(text);
    drop(open);
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
