//! The file of a trace: its name, its header, and the one who writes.
//!
//! The file is opened anew for each chunk, and nothing that exists is overwritten: a process that
//! was replaced by `exec`, and the other heap of a process, leave their own.

use core::ffi::CStr;

use super::encode::Out;
use crate::config::TRACE_NAMES_MAX;
use crate::config::environment::{PATH_BYTES_MAX, trace_path};
use crate::os::{Errno, Os, probe};
use crate::text::Number;

/// Longest path with all that is put behind it.
const NAME_BYTES_MAX: usize = PATH_BYTES_MAX + 32;
const HEADER_BYTES_MAX: usize = 512;
/// Where the texts of a header begin.
const TEXTS_AT: usize = 72;
/// Longest text in a header.
const TEXT_BYTES_MAX: usize = 128;
const MAGIC: &[u8; 8] = b"nltrace\n";
const VERSION: u32 = 1;

/// A path, which ends in NUL.
#[derive(Clone, Copy)]
pub(super) struct Path {
    bytes: [u8; NAME_BYTES_MAX],
    used: usize,
}

impl Path {
    pub(super) const EMPTY: Self = Self { bytes: [0; NAME_BYTES_MAX], used: 0 };

    /// What the environment says, from the root on; None when it names nothing.
    pub(super) fn wanted<O: Os>(os: &O) -> Option<Self> {
        let mut buffer = [0; PATH_BYTES_MAX];
        let told = trace_path(os, &mut buffer)?;
        let mut path = Self::EMPTY;
        if !told.starts_with(b"/") {
            // The process may go elsewhere. Where nobody can say where it is, the path stays.
            let mut folder = [0; PATH_BYTES_MAX];
            let length = os.link(c"/proc/self/cwd", &mut folder).unwrap_or(0);
            if (1..PATH_BYTES_MAX).contains(&length) {
                path.push(&folder[..length]);
                path.push(b"/");
            }
        }
        path.push(told);
        (!path.is_full()).then_some(path)
    }

    fn push(&mut self, bytes: &[u8]) {
        let mut out = Out::new(&mut self.bytes, self.used);
        out.put(bytes);
        self.used = if out.used == self.used + bytes.len() { out.used } else { NAME_BYTES_MAX };
    }

    /// Whether it was too long; a NUL has room otherwise.
    fn is_full(&self) -> bool {
        self.used >= NAME_BYTES_MAX
    }

    /// The path of a process: `%p` is its number, which else is put behind.
    fn of_process(&self, process: u32) -> Self {
        let number = Number::of(process);
        let mut path = Self::EMPTY;
        let (mut rest, mut is_named) = (self.as_bytes(), false);
        while let Some(at) = rest.windows(2).position(|two| two == b"%p") {
            path.push(&rest[..at]);
            path.push(number.as_bytes());
            (rest, is_named) = (&rest[at + 2..], true);
        }
        path.push(rest);
        if !is_named {
            path.push(b".");
            path.push(number.as_bytes());
        }
        path
    }

    fn with_suffix(&self, count: u32) -> Self {
        let mut path = *self;
        path.push(b".");
        path.push(Number::of(count).as_bytes());
        path
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.used.min(NAME_BYTES_MAX)]
    }

    fn as_c_str(&self) -> Result<&CStr, Errno> {
        let whole = if self.is_full() { &[][..] } else { &self.bytes };
        CStr::from_bytes_until_nul(whole).map_err(|_| Errno(libc::ENAMETOOLONG))
    }
}

/// What the header says of the process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) unix_ns: u64,
    pub(super) start_ns: u64,
    pub(super) process: u32,
    pub(super) forked_from: u32,
    pub(super) sample_us: u64,
    pub(super) cache_limit_bytes: u64,
    pub(super) memory_limit_bytes: u64,
}

impl Header {
    /// The header as bytes in `buffer`; how many.
    fn write<O: Os>(&self, os: &O, buffer: &mut [u8; HEADER_BYTES_MAX]) -> usize {
        let (mut program, mut object) = ([0; PATH_BYTES_MAX], [0; PATH_BYTES_MAX]);
        let length = os.link(c"/proc/self/exe", &mut program).unwrap_or(0);
        let program = last_part(&program[..length.min(PATH_BYTES_MAX)]);
        let length = probe::object(os, &mut object);
        let object = if length == 0 { program } else { last_part(&object[..length]) };
        let texts = [program, object, env!("CARGO_PKG_VERSION").as_bytes()];
        let all: usize = TEXTS_AT + texts.iter().map(|text| text.len()).sum::<usize>();
        let all = all.next_multiple_of(8);

        let narrow = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
        let mut out = Out::new(buffer, 0);
        out.put(MAGIC);
        out.put(&VERSION.to_le_bytes());
        out.put(&narrow(all));
        out.put(&self.unix_ns.to_le_bytes());
        out.put(&self.start_ns.to_le_bytes());
        out.put(&self.process.to_le_bytes());
        out.put(&self.forked_from.to_le_bytes());
        out.put(&narrow(os.page_bytes()));
        out.put(&u32::try_from(self.sample_us).unwrap_or(u32::MAX).to_le_bytes());
        out.put(&self.cache_limit_bytes.to_le_bytes());
        out.put(&self.memory_limit_bytes.to_le_bytes());
        for text in texts {
            out.put(&u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
        }
        out.put(&[0; 2]);
        for text in texts {
            out.put(text);
        }
        all
    }
}

/// What is behind the last slash, if that is text of a sensible length.
fn last_part(path: &[u8]) -> &[u8] {
    let part = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let part = &part[..part.len().min(TEXT_BYTES_MAX)];
    if str::from_utf8(part).is_ok() { part } else { b"" }
}

/// Makes the file of a process where `path` wants it, and writes its header; `path` is where it is.
pub(super) fn make<O: Os>(os: &O, path: &mut Path, header: &Header) -> Result<(), Errno> {
    let first = path.of_process(header.process);
    *path = first;
    for count in 2.. {
        match path.as_c_str().and_then(|name| os.make_file(name)) {
            Ok(()) => break,
            Err(Errno(libc::EEXIST)) if count <= TRACE_NAMES_MAX => {
                *path = first.with_suffix(count);
            }
            Err(errno) => return Err(errno),
        }
    }
    let mut buffer = [0; HEADER_BYTES_MAX];
    let length = header.write(os, &mut buffer);
    append(os, path, &buffer[..length])
}

/// Writes bytes behind all others.
pub(super) fn append<O: Os>(os: &O, path: &Path, bytes: &[u8]) -> Result<(), Errno> {
    path.as_c_str().and_then(|name| os.extend_file(name, bytes))
}

/// What an errno means to who wanted a trace.
pub(super) const fn meaning(errno: Errno) -> &'static str {
    match errno.0 {
        libc::ENOSPC | libc::EDQUOT => "the disk is full",
        libc::EFBIG => "files may not become longer",
        libc::EIO => "the disk failed",
        libc::EACCES | libc::EPERM | libc::EROFS => "nothing may be written there",
        libc::ENOENT | libc::ENOTDIR => "there is no such folder, or the file was removed",
        libc::EEXIST => "every name is taken",
        libc::ENAMETOOLONG => "the path is too long",
        _ => "the system refused",
    }
}
