//! `SecretHandle`: bytes that JavaScript holds and sees only for the time of a call.
//!
//! The secret is sealed: no page of it can be touched but inside of a call of this file. What a
//! callback in JavaScript sees is a region of its own, with the same protections, that `load` fills
//! and that TypeScript wipes afterwards; so whoever keeps that buffer, or still works on it, has
//! zeros, and the secret's own pages were never shown.

use std::{
    fs::{File, OpenOptions},
    hint::black_box,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use nalloc::{Require, SealedSecret, SecretBuf};
use napi::{
    Env,
    bindgen_prelude::{PromiseRaw, Uint8ArraySlice},
};
use napi_derive::napi;

use crate::{
    error::{BUSY, Code, FILE_CHANGED, Failure, INTERNAL, IO, Result, TRUNCATED},
    limit,
    line::Turn,
    number,
    region::{Memory, Region},
    task::Task,
    variable,
};

/// What a secret must have; what is not asked for is had as far as the kernel allows.
#[napi(object)]
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each protection is asked for by its name")]
pub struct SecretRequirements {
    pub locked: bool,
    pub no_dump: bool,
    pub no_fork: bool,
    pub guarded: bool,
    pub memfd_secret: bool,
}

impl From<SecretRequirements> for Require {
    fn from(wanted: SecretRequirements) -> Self {
        let SecretRequirements { locked, no_dump, no_fork, guarded, memfd_secret } = wanted;
        Self { locked, hidden_from_dumps: no_dump, wiped_on_fork: no_fork, guarded, memfd_secret }
    }
}

/// What the kernel gave to a secret.
#[napi(object)]
#[expect(clippy::struct_excessive_bools, reason = "each protection is obtained or not")]
pub struct SecretStatus {
    pub locked: bool,
    pub no_dump: bool,
    pub no_fork: bool,
    pub guarded: bool,
    #[napi(ts_type = "'anonymous' | 'memfd_secret'")]
    pub backing: String,
}

/// The sealed bytes, shared by a handle and by jobs that are going to read them.
pub struct Sealed(Mutex<SealedSecret>);

impl Sealed {
    /// Runs `body` with the bytes.
    pub fn with<R>(&self, body: impl FnOnce(&[u8]) -> R) -> std::result::Result<R, Failure> {
        Ok(self.lock().with(body)?)
    }

    fn with_mut<R>(&self, body: impl FnOnce(&mut [u8]) -> R) -> std::result::Result<R, Failure> {
        Ok(self.lock().with_mut(body)?)
    }

    fn lock(&self) -> MutexGuard<'_, SealedSecret> {
        // A secret that a panic left is sealed, and has whole bytes.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes that only native code reads, and callbacks that are lent a view.
#[napi]
pub struct SecretHandle {
    secret: Mutex<Option<Arc<Sealed>>>,
    len: usize,
    require: Require,
    status: nalloc::SecretStatus,
}

/// A new secret that `fill` has filled.
fn make(
    len: usize,
    require: SecretRequirements,
    fill: impl FnOnce(&mut [u8]) -> std::result::Result<(), Failure>,
) -> std::result::Result<SecretHandle, Failure> {
    limit::admit("the secret", number::wide(len))?;
    let require = Require::from(require);
    let mut secret = SecretBuf::with_requirements(len, require)?;
    fill(secret.as_mut_slice())?;
    let status = secret.status();
    let sealed = Arc::new(Sealed(Mutex::new(secret.seal())));
    Ok(SecretHandle { secret: Mutex::new(Some(sealed)), len, require, status })
}

impl SecretHandle {
    /// The secret, for as long as the caller holds it.
    pub fn lease(&self) -> Result<Arc<Sealed>> {
        self.slot().clone().ok_or_else(disposed)
    }

    /// Bytes of it.
    pub fn len(&self) -> usize {
        self.len
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<Sealed>>> {
        // A slot is whole between any two statements.
        self.secret.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn disposed() -> napi::Error<Code> {
    Failure::disposed("secret").into()
}

#[napi]
impl SecretHandle {
    /// `byteLength` zero bytes. Throws `ERR_LOCK`, `ERR_LIMIT`, `ERR_NO_MEMORY`.
    #[napi(constructor, catch_unwind)]
    pub fn new(byte_length: f64, require: SecretRequirements) -> Result<Self> {
        Ok(make(number::bytes(byte_length), require, |_| Ok(()))?)
    }

    /// `byteLength` bytes from the operating system's generator.
    #[napi(factory, catch_unwind)]
    pub fn random(byte_length: f64, require: SecretRequirements) -> Result<Self> {
        let fill = |bytes: &mut [u8]| {
            getrandom::fill(bytes).map_err(|error| {
                Failure::new(INTERNAL, format!("no random bytes from the system: {error}"))
            })
        };
        Ok(make(number::bytes(byte_length), require, fill)?)
    }

    /// A copy of `bytes`, which are overwritten with zeros.
    #[napi(factory, catch_unwind)]
    pub fn adopt(mut bytes: Uint8ArraySlice<'_>, require: SecretRequirements) -> Result<Self> {
        let handle = make(bytes.len(), require, |secret| {
            secret.copy_from_slice(&bytes);
            Ok(())
        })?;
        // SAFETY: JavaScript's thread is in this call, and nobody else here has the bytes.
        nalloc::wipe(unsafe { bytes.as_mut() });
        Ok(handle)
    }

    /// What the environment variable `name` says in the encoding `hex` or `base64`. With
    /// `isUnset`, the variable is overwritten and removed.
    #[napi(factory, catch_unwind)]
    pub fn from_variable(
        name: String,
        encoding: String,
        is_unset: bool,
        require: SecretRequirements,
    ) -> Result<Self> {
        let handle = variable::decode(&name, &encoding, |text| {
            make(text.decoded_len(), require, |secret| text.decode(secret))
        })?;
        if is_unset {
            variable::remove(&name)?;
        }
        Ok(handle)
    }

    /// What the kernel gave.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn status(&self) -> SecretStatus {
        SecretStatus {
            locked: self.status.is_locked,
            no_dump: self.status.is_hidden_from_dumps,
            no_fork: self.status.is_wiped_on_fork,
            guarded: self.status.is_guarded,
            backing: self.status.backing.to_string(),
        }
    }

    /// How many bytes it has, or had.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn byte_length(&self) -> f64 {
        number::from_usize(self.len)
    }

    /// Whether `bytes` are the secret, in a time that depends on the two lengths alone.
    #[napi(catch_unwind)]
    pub fn equals_bytes(&self, bytes: Uint8ArraySlice<'_>) -> Result<bool> {
        Ok(self.lease()?.with(|secret| is_equal(secret, &bytes))?)
    }

    /// As `equalsBytes`.
    #[napi(catch_unwind)]
    pub fn equals(&self, other: &SecretHandle) -> Result<bool> {
        let (one, two) = (self.lease()?, other.lease()?);
        if Arc::ptr_eq(&one, &two) {
            return Ok(true);
        }
        // In the order of addresses: two threads that compare never wait for each other.
        let (low, high) =
            if Arc::as_ptr(&one) < Arc::as_ptr(&two) { (one, two) } else { (two, one) };
        Ok(low.with(|low| high.with(|high| is_equal(low, high)))??)
    }

    /// A region as long as the secret and as well protected, for `load` and `store`.
    #[napi(catch_unwind)]
    pub fn window(&self) -> Result<Region> {
        self.lease()?;
        let window = SecretBuf::with_requirements(self.len, self.require).map_err(Failure::from)?;
        Ok(Region::new(Memory::of_secret(window)))
    }

    /// Copies the secret into a region of `window`.
    #[napi(catch_unwind)]
    pub fn load(&self, region: &Region) -> Result<()> {
        let memory = region.memory()?;
        Ok(self.lease()?.with(|secret| memory.copy_from(secret))?)
    }

    /// Copies what is in a region of `window` into the secret.
    #[napi(catch_unwind)]
    pub fn store(&self, region: &Region) -> Result<()> {
        let memory = region.memory()?;
        self.check_free()?;
        Ok(self.lease()?.with_mut(|secret| memory.copy_to(secret))?)
    }

    /// Throws `ERR_BUSY` while a proof is going to read it, `ERR_DISPOSED`.
    #[napi(catch_unwind)]
    pub fn check_free(&self) -> Result<()> {
        let secret = self.slot();
        let secret = secret.as_ref().ok_or_else(disposed)?;
        if Arc::strong_count(secret) == 1 {
            return Ok(());
        }
        let message = "secret: expected no call in progress that reads it, to write to it, got one";
        Err(Failure::new(BUSY, message).into())
    }

    /// True after `dispose()`.
    #[napi(getter, catch_unwind)]
    #[must_use]
    pub fn is_disposed(&self) -> bool {
        self.slot().is_none()
    }

    /// Wipes and frees, as soon as no proof reads it.
    #[napi(catch_unwind)]
    pub fn dispose(&self) {
        self.slot().take();
    }
}

/// Reads the regular file at `path` into a new secret.
#[napi(catch_unwind, ts_return_type = "Promise<SecretHandle>")]
pub fn read_secret<'env>(
    env: &'env Env,
    path: String,
    require: SecretRequirements,
    task: &Task,
) -> Result<PromiseRaw<'env, SecretHandle>> {
    task.start(env, Turn::AtOnce, move |_, _| read(&path, require), |handle| handle)
}

fn read(path: &str, require: SecretRequirements) -> std::result::Result<SecretHandle, Failure> {
    let failed = |error: io::Error| Failure::new(IO, format!("{path}: {error}"));
    // O_NONBLOCK: opening a FIFO without a writer does not wait. O_NOCTTY: opening a terminal does
    // not make it ours.
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        let message = format!("{path}: expected a regular file, got something else");
        return Err(Failure::new(IO, message));
    }
    let len = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if len == 0 {
        let message = format!("{path}: expected a secret of at least one byte, got an empty file");
        return Err(Failure::new(TRUNCATED, message));
    }
    make(len, require, |secret| fill_from(file, secret, path))
}

fn fill_from(mut file: File, secret: &mut [u8], path: &str) -> std::result::Result<(), Failure> {
    let changed = || Failure::new(FILE_CHANGED, format!("{path}: changed while it was read"));
    let mut rest = [0];
    match file.read_exact(secret).and_then(|()| file.read(&mut rest)) {
        Ok(0) => Ok(()),
        Ok(_) => {
            nalloc::wipe(&mut rest);
            Err(changed())
        }
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(changed()),
        Err(error) => Err(Failure::new(IO, format!("{path}: {error}"))),
    }
}

fn is_equal(one: &[u8], two: &[u8]) -> bool {
    let mut difference = u8::from(one.len() != two.len());
    for (one, two) in one.iter().zip(two) {
        difference = black_box(difference | (one ^ two));
    }
    difference == 0
}
