//! A folder that goes away with its owner.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// An empty folder of this process, removed with all that is in it when this is dropped.
pub struct TempDir(PathBuf);

impl TempDir {
    /// Makes the folder.
    ///
    /// # Panics
    /// When the system refuses.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a default value with an effect surprises")]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let path = env::temp_dir().join(format!("nalloc-{}-{number}", process::id()));
        fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it.
    ///
    /// # Panics
    /// When the system refuses.
    #[must_use]
    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("a new file");
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        // A folder that stays is no reason to fail a test.
        let _ignored = fs::remove_dir_all(&self.0);
    }
}
