//! Replays a trace on as many threads as it has, which live as long as the process: those of a
//! prover are a pool.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::trace::{self, Event, Trace, What};
use crate::alloc::buffer::Buffer;
use crate::alloc::work::{Care, tag};
use crate::allocator::{begin_phase, end_phase};
use crate::usage::usage;
use crate::worker::{Timed, Workload};

/// Before the name of a trace: it is read and not replayed.
pub const LOADED: &str = "loaded ";
/// Before the name of a trace: of each page only the first byte is written.
pub const TOUCHED: &str = "touched ";

/// What is done to the pages of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// They are written whole.
    Written,
    /// The first byte of each is written.
    Touched,
    /// They are written whole and looked at.
    Checked,
}

impl Use {
    /// Whether what is read is compared with what was written.
    fn care(self) -> Care {
        if self == Self::Checked { Care::Checked } else { Care::Timed }
    }
}

/// Replays traces; keeps the last one and all threads.
#[derive(Debug, Default)]
pub struct Player {
    trace: Mutex<Option<(String, Arc<Trace>)>>,
    /// Threads 1, 2, ... of the traces.
    others: Mutex<Vec<mpsc::Sender<Arc<Stage>>>>,
}

/// One replay: who holds the state has the turn.
#[derive(Debug)]
struct Stage {
    trace: Arc<Trace>,
    pages: Use,
    state: Mutex<State>,
    /// Where each thread waits for its turn.
    turns: Vec<Condvar>,
}

#[derive(Debug)]
struct State {
    next: usize,
    blocks: Vec<Option<Buffer>>,
    elapsed: Duration,
    /// The first thing that was not as it should be.
    wrong: Option<String>,
}

impl Player {
    fn load(&self, name: &str) -> Result<Arc<Trace>, String> {
        let mut known = self.trace.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((of, trace)) if of == name => Ok(Arc::clone(trace)),
            _ => {
                let trace = Arc::new(trace::read(name)?);
                *known = Some((name.to_owned(), Arc::clone(&trace)));
                Ok(trace)
            }
        }
    }

    /// How long all calls and touches of a trace took, and its page faults.
    fn replay(&self, trace: &Arc<Trace>, pages: Use) -> Result<(Duration, u64), String> {
        let stage = Arc::new(Stage::new(Arc::clone(trace), pages));
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let faults_before = usage().page_faults;
        for thread in 1..trace.threads {
            if others.len() < thread {
                others.push(start(thread));
            }
            let ended = |_| format!("thread {thread} of the replay ended early");
            others[thread - 1].send(Arc::clone(&stage)).map_err(ended)?;
        }
        stage.perform(0);
        let page_faults = usage().page_faults - faults_before;
        let mut state = stage.hold();
        state.blocks.clear();
        match state.wrong.take() {
            Some(wrong) => Err(wrong),
            None => Ok((state.elapsed, page_faults)),
        }
    }
}

/// A thread that takes part in every stage it is sent, and ends when the process does.
fn start(number: usize) -> mpsc::Sender<Arc<Stage>> {
    let (sender, stages) = mpsc::channel::<Arc<Stage>>();
    thread::spawn(move || stages.iter().for_each(|stage| stage.perform(number)));
    sender
}

impl Stage {
    fn new(trace: Arc<Trace>, pages: Use) -> Self {
        let blocks = (0..trace.blocks).map(|_| None).collect();
        let turns = (0..trace.threads).map(|_| Condvar::new()).collect();
        let state = State { next: 0, blocks, elapsed: Duration::ZERO, wrong: None };
        Self { trace, pages, state: Mutex::new(state), turns }
    }

    fn hold(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does all that a thread does, in its turns; the main one begins and is the last to return.
    fn perform(&self, me: usize) {
        let events = &self.trace.events;
        let mut state = self.hold();
        loop {
            let started = Instant::now();
            let turn = events[state.next..].iter().take_while(|event| event.thread as usize == me);
            for event in turn {
                let place = &mut state.blocks[event.block as usize];
                if let Err(wrong) = act(event, place, self.pages) {
                    state.wrong.get_or_insert(wrong);
                }
                state.next += 1;
            }
            state.elapsed += started.elapsed();
            let Some(event) = events.get(state.next) else { break };
            self.turns[event.thread as usize].notify_one();
            let is_waiting = |state: &mut State| {
                events.get(state.next).is_some_and(|event| event.thread as usize != me)
            };
            state = self.turns[me]
                .wait_while(state, is_waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        self.turns.iter().for_each(Condvar::notify_all);
    }
}

/// Does to a block what happened to it.
fn act(event: &Event, place: &mut Option<Buffer>, pages: Use) -> Result<(), String> {
    match event.what {
        What::Alloc => *place = Some(Buffer::empty(event.bytes, event.log2_align)),
        What::AllocZeroed => {
            let block = Buffer::zeroed_aligned(event.bytes, event.log2_align);
            pages.care().expect("expected zeroes", || block.holds_only(0))?;
            *place = Some(block);
        }
        What::Resize => {
            let Some(block) = place else { return Err("expected a block to resize".to_owned()) };
            let kept = block.len().min(event.bytes);
            block.resize(event.bytes);
            return write(event, block, kept, pages);
        }
        What::Free => {
            let Some(block) = place.take() else { return Err("expected a block".to_owned()) };
            return expect_kept(event, &block, pages);
        }
        What::Begin => begin_phase(),
        What::End => end_phase(),
    }
    match place {
        Some(block) => write(event, block, 0, pages),
        None => Ok(()),
    }
}

/// Writes what is new of a block.
fn write(event: &Event, block: &mut Buffer, kept: usize, pages: Use) -> Result<(), String> {
    match pages {
        Use::Written => {
            block.write_from(kept);
            return Ok(());
        }
        Use::Touched => {
            block.touch(kept);
            return Ok(());
        }
        Use::Checked => {}
    }
    if kept > 0 {
        expect_kept(event, block, pages)?;
    }
    let value = tag(event.block as usize);
    block.bytes_mut().fill(value);
    block.grow(event.bytes, value);
    Ok(())
}

/// Whether a block still has what was written, where it is looked at.
fn expect_kept(event: &Event, block: &Buffer, pages: Use) -> Result<(), String> {
    let value = tag(event.block as usize);
    if pages != Use::Checked || block.bytes().iter().all(|&byte| byte == value) {
        return Ok(());
    }
    Err(format!("block {}: expected what was written before", event.block))
}

impl Workload for Player {
    fn check(&self, name: &str) -> Result<(), String> {
        let trace = self.load(name.strip_prefix(TOUCHED).unwrap_or(name))?;
        // Twice: the second time, memory is used again.
        [(); 2].iter().try_for_each(|()| self.replay(&trace, Use::Checked).map(|_| ()))
    }

    fn round(&self, name: &str) -> Result<Timed, String> {
        if let Some(name) = name.strip_prefix(LOADED) {
            self.load(name)?;
            return Ok(Timed { value: 0.0, page_faults: 0 });
        }
        let touched = name.strip_prefix(TOUCHED);
        let pages = if touched.is_some() { Use::Touched } else { Use::Written };
        let trace = self.load(touched.unwrap_or(name))?;
        let (elapsed, page_faults) = self.replay(&trace, pages)?;
        Ok(Timed { value: elapsed.as_secs_f64() * 1e3, page_faults })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_lost_its_bytes_is_named() {
        let event =
            Event { what: What::Resize, thread: 0, block: 3, bytes: 200_000, log2_align: 3 };
        let mut place = Some(Buffer::filled(100_000, 0xee));

        let wrong = act(&event, &mut place, Use::Checked).expect_err("other bytes");

        assert_eq!(wrong, "block 3: expected what was written before");
        let freed = Event { what: What::Free, ..event };
        let mut place = Some(Buffer::filled(100_000, 0xee));
        assert!(act(&freed, &mut place, Use::Checked).is_err());
        let mut place = Some(Buffer::filled(100_000, tag(3)));
        assert_eq!(act(&freed, &mut place, Use::Checked), Ok(()));
        assert!(place.is_none());
    }
}
