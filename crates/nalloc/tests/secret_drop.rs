//! A secret arena leaves nothing behind in the pages that the heap hands out next. One test alone:
//! no other thread may take the pages between the drop and the look.

use std::slice;

use nalloc::{Arena, NAlloc};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

#[test]
fn a_secret_arena_wipes_on_drop() {
    for is_secret in [false, true] {
        let arena = Arena::builder().capacity_bytes(1 << 20).secret(is_secret).build();
        let arena = arena.expect("memory");
        let secret: &mut [u8] = arena.alloc_array(300_000);
        secret.fill(0xa5);
        let (start, len) = (secret.as_ptr(), secret.len());
        drop(arena);

        // SAFETY: the heap's range stays mapped, and nobody else uses the pages yet.
        let left = unsafe { slice::from_raw_parts(start, len) };
        let is_wiped = left.iter().all(|&byte| byte == 0);
        assert_eq!(is_wiped, is_secret, "an arena that is no secret is the control");
    }
}
