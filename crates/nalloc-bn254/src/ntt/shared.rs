//! Tables of transforms in lanes, shared by everything that transforms the same way at one time.
//!
//! A server keeps several keys of one domain open: they have one pair of tables. Tables live as
//! long as somebody uses them and not longer, so that what a key takes is given back with the last
//! key of its domain; before that, each key counts them as its own.

use core::any::Any;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::four_step::{Direction, FourStep};
use crate::arch::Kernels;
use crate::error::Error;
use crate::field::Field;

/// The tables of one direction.
pub(super) struct Tables<F> {
    direction: Direction<F>,
    transform: Box<dyn FourStep<F>>,
}

/// What one process has.
struct Entry {
    kernels: Kernels,
    log2: u32,
    tables: Weak<dyn Any + Send + Sync>,
}

static ENTRIES: Mutex<Vec<Entry>> = Mutex::new(Vec::new());

impl<F: Field> Tables<F> {
    /// The tables of 2^`log2` points: somebody's, or new ones; none where `kernels` have no lanes.
    pub(super) fn of(
        kernels: Kernels,
        log2: u32,
        direction: &Direction<F>,
    ) -> Result<Option<Arc<Self>>, Error> {
        if let Some(tables) = Self::find(&mut lock(), kernels, log2, direction) {
            return Ok(Some(tables));
        }
        let Some(transform) = F::four_step(kernels, log2, direction)? else { return Ok(None) };
        let mut entries = lock();
        // Of two threads that made them at once, one keeps what it made.
        if let Some(tables) = Self::find(&mut entries, kernels, log2, direction) {
            return Ok(Some(tables));
        }
        let made = Arc::new(Self { direction: *direction, transform });
        let erased: Arc<dyn Any + Send + Sync> = made.clone();
        entries.push(Entry { kernels, log2, tables: Arc::downgrade(&erased) });
        Ok(Some(made))
    }

    fn find(
        entries: &mut Vec<Entry>,
        kernels: Kernels,
        log2: u32,
        direction: &Direction<F>,
    ) -> Option<Arc<Self>> {
        entries.retain(|entry| entry.tables.strong_count() > 0);
        let alike = entries.iter().filter(|entry| (entry.kernels, entry.log2) == (kernels, log2));
        let mut tables = alike.filter_map(|entry| entry.tables.upgrade()?.downcast().ok());
        tables.find(|tables: &Arc<Self>| tables.direction == *direction)
    }

    pub(super) fn transform(&self) -> &dyn FourStep<F> {
        &*self.transform
    }
}

fn lock() -> std::sync::MutexGuard<'static, Vec<Entry>> {
    // Nothing in here is broken by a panic: entries are weak.
    ENTRIES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Fr;

    fn tables(kernels: Kernels, root: Fr) -> Arc<Tables<Fr>> {
        let direction = Direction { root, scale: Fr::ONE, shift: Fr::from_u64(3) };
        Tables::of(kernels, 9, &direction).unwrap().unwrap()
    }

    #[test]
    fn tables_are_shared_while_somebody_uses_them_and_made_anew_afterwards() {
        let Some(kernels) = Kernels::ifma() else {
            println!("skipped: this CPU has no AVX-512 IFMA");
            return;
        };
        let root = Fr::root_of_unity(9).unwrap();

        let (one, same, other) =
            (tables(kernels, root), tables(kernels, root), tables(kernels, -root));

        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
        let gone = Arc::downgrade(&one);
        drop((one, same));
        assert!(gone.upgrade().is_none());
        assert_eq!(Arc::strong_count(&tables(kernels, root)), 1);
    }
}
