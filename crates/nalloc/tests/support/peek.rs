//! Memory of this process as a debugger sees it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// The bytes at `address` as a debugger would read them, whatever the protection of their page.
pub fn peek(address: usize, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    let at = u64::try_from(address).expect("an address");
    File::open("/proc/self/mem")?.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}
