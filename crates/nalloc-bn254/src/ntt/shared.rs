//! Tables of transforms, shared by everything that transforms the same way.
//!
//! A server keeps several keys of one domain open: they have one pair of tables, though each key
//! counts them as its own. Tables live as long as somebody uses them; up to a budget they are kept
//! beyond that, so that products of polynomials, one after the other, do not make them anew. The
//! budget counts what is kept whether or not it is used; what was asked for longest ago goes first,
//! and a table larger than the budget goes with its last user.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::four_step::{Direction, FourStep};
use crate::arch::Kernels;
use crate::error::Error;
use crate::field::Field;
use crate::observer::Observer;

/// What is kept unless [`set_table_budget`] says otherwise: both directions of 2^17 points.
const BUDGET_BYTES: usize = 16 << 20;

/// What can be shared.
pub(super) trait Table: Any + Send + Sync {
    /// How much memory it takes.
    fn bytes(&self) -> usize;
}

/// The tables of one direction.
pub(super) struct Tables<F> {
    kernels: Kernels,
    log2: u32,
    direction: Direction<F>,
    transform: Box<dyn FourStep<F>>,
}

impl<F: Field> Table for Tables<F> {
    fn bytes(&self) -> usize {
        self.transform.table_bytes()
    }
}

impl<F: Field> Tables<F> {
    /// The tables of 2^`log2` points; none where `kernels` have no lanes. The observer may stop their
    /// making.
    pub(super) fn of(
        kernels: Kernels,
        log2: u32,
        direction: &Direction<F>,
        observer: &dyn Observer,
    ) -> Result<Option<Arc<Self>>, Error> {
        let is_it = |tables: &Self| {
            (tables.kernels, tables.log2, tables.direction) == (kernels, log2, *direction)
        };
        let found = lock().find(is_it);
        if let Some(tables) = found {
            return Ok(Some(tables));
        }
        let made = F::four_step(kernels, log2, direction, observer)?;
        let Some(transform) = made else { return Ok(None) };
        let direction = *direction;
        Ok(Some(lock().insert(is_it, Self { kernels, log2, direction, transform })))
    }

    /// Whether they are of this direction.
    pub(super) fn are_for(&self, direction: &Direction<F>) -> bool {
        self.direction == *direction
    }

    pub(super) fn transform(&self) -> &dyn FourStep<F> {
        &*self.transform
    }
}

type AnyTable = dyn Any + Send + Sync;

/// A table that somebody uses, or that is kept.
struct Entry {
    table: Weak<AnyTable>,
    kept: Option<Arc<AnyTable>>,
    bytes: usize,
}

/// Of the whole process. Entries lie in the order in which they were asked for last.
struct Cache {
    entries: Vec<Entry>,
    budget_bytes: usize,
}

static CACHE: Mutex<Cache> = Mutex::new(Cache { entries: Vec::new(), budget_bytes: BUDGET_BYTES });

/// Sets how many bytes of tables are kept when nobody uses them, 16 MiB from the start, and gives
/// back what is kept beyond that.
pub fn set_table_budget(bytes: usize) {
    let mut cache = lock();
    cache.budget_bytes = bytes;
    cache.trim();
}

/// Bytes of tables that are kept, used or not.
#[must_use]
pub fn kept_table_bytes() -> usize {
    lock().kept_bytes()
}

/// The table that `is_it` knows, or what `make` makes.
pub(super) fn shared<T: Table>(
    is_it: impl Fn(&T) -> bool + Copy,
    make: impl FnOnce() -> Result<T, Error>,
) -> Result<Arc<T>, Error> {
    let found = lock().find(is_it);
    if let Some(table) = found {
        return Ok(table);
    }
    let made = make()?;
    Ok(lock().insert(is_it, made))
}

impl Cache {
    /// The table that `is_it` knows, asked for last from now on, and kept where it fits.
    fn find<T: Table>(&mut self, is_it: impl Fn(&T) -> bool) -> Option<Arc<T>> {
        let tables = self.entries.iter().map(|entry| entry.table.upgrade()?.downcast::<T>().ok());
        let mut found = tables.enumerate().filter_map(|(index, table)| Some((index, table?)));
        let (index, table) = found.find(|(_, table)| is_it(table))?;
        let mut entry = self.entries.remove(index);
        entry.kept = Some(table.clone());
        self.entries.push(entry);
        self.trim();
        Some(table)
    }

    /// `made`, or where another thread was faster, what it made.
    fn insert<T: Table>(&mut self, is_it: impl Fn(&T) -> bool, made: T) -> Arc<T> {
        if let Some(table) = self.find(is_it) {
            return table;
        }
        let (bytes, made) = (made.bytes(), Arc::new(made));
        let erased: Arc<AnyTable> = made.clone();
        self.entries.push(Entry { table: Arc::downgrade(&erased), kept: Some(erased), bytes });
        self.trim();
        made
    }

    /// Keeps no more than the budget, and forgets what is neither kept nor used.
    fn trim(&mut self) {
        let budget_bytes = self.budget_bytes;
        for entry in self.entries.iter_mut().filter(|entry| entry.bytes > budget_bytes) {
            entry.kept = None;
        }
        let mut excess_bytes = self.kept_bytes().saturating_sub(budget_bytes);
        for entry in &mut self.entries {
            if excess_bytes > 0 && entry.kept.take().is_some() {
                excess_bytes = excess_bytes.saturating_sub(entry.bytes);
            }
        }
        self.entries.retain(|entry| entry.table.strong_count() > 0);
    }

    fn kept_bytes(&self) -> usize {
        self.entries.iter().filter(|entry| entry.kept.is_some()).map(|entry| entry.bytes).sum()
    }
}

fn lock() -> MutexGuard<'static, Cache> {
    // No panic can leave it broken: entries are changed one at a time.
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that is known by its number.
    struct Numbered(u32);

    const BYTES: usize = 1 << 20;

    impl Table for Numbered {
        fn bytes(&self) -> usize {
            BYTES
        }
    }

    impl Cache {
        fn number(&mut self, number: u32) -> Arc<Numbered> {
            self.insert(|table: &Numbered| table.0 == number, Numbered(number))
        }

        fn has(&mut self, number: u32) -> bool {
            let tables = self.entries.iter().filter_map(|entry| entry.table.upgrade());
            let mut tables = tables.filter_map(|table| table.downcast::<Numbered>().ok());
            tables.any(|table| table.0 == number)
        }
    }

    #[test]
    fn tables_are_shared_kept_up_to_the_budget_and_the_oldest_goes_first() {
        let mut cache = Cache { entries: Vec::new(), budget_bytes: 2 * BYTES };
        let used = cache.number(1);
        assert!(Arc::ptr_eq(&used, &cache.number(1)));

        // Three are kept at most in turn: the first stays because it is used.
        drop((cache.number(2), cache.number(3)));
        assert_eq!(cache.kept_bytes(), 2 * BYTES);
        assert!(cache.has(1) && cache.has(2) && cache.has(3));
        drop((cache.number(2), cache.number(4)));
        assert!(cache.has(2) && cache.has(4) && !cache.has(3));

        // What is used stays without a budget, too, and goes with its last user.
        cache.budget_bytes = BYTES - 1;
        cache.trim();
        assert_eq!(cache.kept_bytes(), 0);
        assert!(cache.has(1) && !cache.has(2) && !cache.has(4));
        drop(used);
        assert!(!cache.has(1));
        drop(cache.number(5));
        assert!(!cache.has(5));
    }
}
