//! The pool: its own named threads, and helpers that touch every element once.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

use nalloc_bn254::{Error, Pool};

#[test]
fn threads_are_as_many_as_asked_and_named() {
    let pool = Pool::new(Some(3)).unwrap();
    let names = Mutex::new(BTreeSet::new());

    pool.for_each_chunk_mut(&mut [0u8; 3000], 1, |_, _| {
        let name = thread::current().name().unwrap_or_default().to_owned();
        names.lock().unwrap().insert(name);
    });

    assert_eq!(pool.thread_count(), 3);
    let expected = ["nalloc-0", "nalloc-1", "nalloc-2"];
    assert!(names.lock().unwrap().iter().all(|name| expected.contains(&name.as_str())));
    assert!(Pool::new(None).unwrap().thread_count() >= 1);
}

#[test]
fn counts_of_threads_out_of_range_are_refused() {
    for got in [0, 1025, usize::MAX] {
        assert_eq!(Pool::new(Some(got)).err(), Some(Error::ThreadCount { max: 1024, got }));
    }
}

#[test]
fn every_element_is_visited_once_with_its_index() {
    for threads in [1, 4] {
        let pool = Pool::new(Some(threads)).unwrap();
        for (len, chunk_len) in [(0, 1), (1, 1), (10, 3), (10, 100), (1000, 7)] {
            let (mut left, mut right) = (vec![0; len], vec![0; len]);
            pool.for_each_chunk_pair_mut(&mut left, &mut right, chunk_len, |start, left, right| {
                for (index, (l, r)) in (start..).zip(left.iter_mut().zip(right)) {
                    (*l, *r) = (*l + index, *r + 2 * index);
                }
            });
            pool.for_each_chunk_mut(&mut left, chunk_len, |start, chunk| {
                chunk.iter_mut().zip(start..).for_each(|(l, index)| *l += index);
            });

            let expected: Vec<usize> = (0..len).map(|index| 2 * index).collect();
            assert_eq!((&left, &right), (&expected, &expected));
        }
    }
}

#[test]
fn jobs_still_run_after_the_stacks_were_scrubbed() {
    let pool = Pool::new(Some(2)).unwrap();

    pool.scrub_stacks();

    assert_eq!(pool.join(|| 1, || 2), (1, 2));
    assert_eq!(pool.install(|| pool.thread_count()), 2);
}
