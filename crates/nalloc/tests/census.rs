//! Secret memory and arenas are counted while they live. One test alone: the counts are the
//! process's.

use nalloc::{Arena, SecretBuf, Stats};

fn counts() -> (u64, u64, u64) {
    let Stats { secret_bytes, locked_bytes, arenas, .. } = nalloc::stats();
    assert!(locked_bytes <= secret_bytes, "{locked_bytes} of {secret_bytes} bytes");
    (secret_bytes, locked_bytes, arenas)
}

#[test]
fn secret_memory_and_arenas_are_counted_while_they_live() {
    assert_eq!(counts(), (0, 0, 0));
    let (mut secret_bytes, mut locked_bytes) = (0, 0);
    let mut held = Vec::new();
    for (len, pages) in [(0, 1), (1, 1), (4096, 1), (100_000, 25)] {
        let secret = SecretBuf::new(len).expect("memory");
        let bytes = counts().0 - secret_bytes;
        // Pages may be larger than 4 KiB.
        assert!(bytes >= pages * 4096 && bytes.is_multiple_of(4096), "{len}: {bytes}");
        assert!(bytes <= pages * 4096 + (64 << 10), "{len}: {bytes}");
        secret_bytes += bytes;
        locked_bytes += if secret.status().is_locked { bytes } else { 0 };
        assert_eq!(counts(), (secret_bytes, locked_bytes, 0), "{len}");
        held.push(secret.seal());
    }
    assert_eq!(counts(), (secret_bytes, locked_bytes, 0), "sealing changes nothing");

    let plain = Arena::with_capacity(1 << 20).expect("memory");
    assert_eq!(counts(), (secret_bytes, locked_bytes, 1));
    let secret = Arena::builder().capacity_bytes(1 << 20).secret(true).build().expect("memory");
    let capacity_bytes = u64::try_from(secret.capacity_bytes()).expect("a capacity");
    let is_locked = secret.secret_status().expect("a secret arena").is_locked;
    let locked = locked_bytes + if is_locked { capacity_bytes } else { 0 };
    assert_eq!(counts(), (secret_bytes + capacity_bytes, locked, 2));
    assert_eq!(nalloc::stats().secret_arena_bytes, capacity_bytes, "that of arenas alone");

    drop((plain, secret));
    let opened = held.pop().expect("a secret").open().expect("pages that can be read");
    assert_eq!(counts(), (secret_bytes, locked_bytes, 0), "opening changes nothing");
    assert!(SecretBuf::new(usize::MAX).is_err() && SecretBuf::new(1 << 55).is_err());
    assert!(Arena::with_capacity(1 << 60).is_err());
    assert_eq!(counts(), (secret_bytes, locked_bytes, 0), "failures leave nothing");
    drop((held, opened));
    assert_eq!(counts(), (0, 0, 0));
    assert_eq!(nalloc::stats().secret_arena_bytes, 0);

    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let kept = (SecretBuf::new(1), Arena::with_capacity(1 << 16));
                    assert!(kept.0.is_ok() && kept.1.is_ok());
                    assert!(counts().0 >= 4096);
                }
            });
        }
    });
    assert_eq!(counts(), (0, 0, 0));
}
