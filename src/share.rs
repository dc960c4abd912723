//! Tickets: text by which one thread of a process gives another one what it has in native memory.
//!
//! A ticket keeps nothing alive. It begins with a number that the process drew at random, so that
//! one of another process, or of before a restart, stands for nothing.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::error::{DISPOSED, Failure, INTERNAL, INVALID_ARG};

/// Those of one kind of thing that have a ticket, by their numbers.
pub struct Tickets<T: 'static> {
    /// What messages call the kind, such as "key", and in small letters every ticket.
    kind: &'static str,
    made: AtomicU64,
    shared: Mutex<BTreeMap<u64, Weak<Shareable<T>>>>,
}

impl<T> Tickets<T> {
    /// None yet.
    pub const fn new(kind: &'static str) -> Self {
        Self { kind, made: AtomicU64::new(0), shared: Mutex::new(BTreeMap::new()) }
    }

    /// What can be given a ticket.
    pub fn admit(&'static self, value: T) -> Arc<Shareable<T>> {
        // Relaxed: the number stands for itself.
        let id = self.made.fetch_add(1, Ordering::Relaxed);
        Arc::new(Shareable { value, id, tickets: self })
    }

    /// A ticket; the same one each time.
    pub fn give(&self, shareable: &Arc<Shareable<T>>) -> Result<String, Failure> {
        let ticket = format!("{}{}", self.start()?, shareable.id);
        self.shared().insert(shareable.id, Arc::downgrade(shareable));
        Ok(ticket)
    }

    /// What a ticket stands for. `ERR_DISPOSED` when nobody has it any more, `ERR_INVALID_ARG` for
    /// what is no ticket of this kind and process.
    pub fn redeem(&self, ticket: &str) -> Result<Arc<Shareable<T>>, Failure> {
        let start = self.start()?;
        let id = ticket.strip_prefix(start.as_str()).and_then(|number| number.parse().ok());
        let Some(id): Option<u64> = id else {
            let message =
                "ticket: expected one that share() gave in this process, got another text";
            return Err(Failure::new(INVALID_ARG, message));
        };
        let shared = self.shared().get(&id).and_then(Weak::upgrade);
        shared.ok_or_else(|| {
            let kind = self.kind;
            let message =
                format!("ticket: expected that of an open {kind}, got that of a disposed one");
            Failure::new(DISPOSED, message)
        })
    }

    fn start(&self) -> Result<String, Failure> {
        Ok(format!("nalloc-{}-{:016x}-", self.kind.to_ascii_lowercase(), process_number()?))
    }

    fn shared(&self) -> MutexGuard<'_, BTreeMap<u64, Weak<Shareable<T>>>> {
        // A map is whole whenever the lock is free.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What no other process has.
fn process_number() -> Result<u64, Failure> {
    static NUMBER: OnceLock<u64> = OnceLock::new();
    if let Some(&number) = NUMBER.get() {
        return Ok(number);
    }
    let number = getrandom::u64().map_err(|error| {
        Failure::new(INTERNAL, format!("the system gives no random numbers: {error}"))
    })?;
    Ok(*NUMBER.get_or_init(|| number))
}

/// A value that may have a ticket, which ends with it.
pub struct Shareable<T: 'static> {
    value: T,
    /// No other one of its kind in this process has it.
    id: u64,
    tickets: &'static Tickets<T>,
}

impl<T> Deref for Shareable<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for Shareable<T> {
    fn drop(&mut self) {
        self.tickets.shared().remove(&self.id);
    }
}
