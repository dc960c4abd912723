//! Random calls against a naive model: a list of what was handed out and is not taken back, and the
//! byte that each of them was filled with.

use std::slice;

use nalloc::{Arena, Error, NAlloc, Scope, SubArena};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const CAPACITY: usize = 1 << 20;
const STEPS: usize = 400;

/// A sequence of numbers that a seed determines (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).expect("below a usize")
    }
}

/// One request.
#[derive(Clone, Copy, Debug)]
struct Call {
    len: usize,
    align: Option<usize>,
    is_zeroed: bool,
    is_exclusive: bool,
}

impl Call {
    fn any(random: &mut Random) -> Self {
        let len = match random.below(10) {
            0 => 0,
            1..=6 => random.below(2000),
            7 | 8 => random.below(100_000),
            _ => random.below(2 * CAPACITY),
        };
        let align = (random.below(3) == 0).then(|| 1 << random.below(14));
        Self { len, align, is_zeroed: random.below(2) == 0, is_exclusive: random.below(3) == 0 }
    }
}

/// What hands out slices, for the model.
trait Hands {
    fn call(&mut self, call: Call) -> Result<*mut u8, Error>;
    fn used_bytes(&self) -> usize;
    fn nest(&mut self, model: &mut Model, depth: usize);
    /// What only an arena does.
    fn whole(&mut self, _model: &mut Model, _depth: usize) {}
}

macro_rules! hands {
    ($name:ty, { $($more:tt)* }) => {
        impl Hands for $name {
            fn call(&mut self, call: Call) -> Result<*mut u8, Error> {
                let Call { len, align, is_zeroed, is_exclusive } = call;
                macro_rules! from {
                    ($handle:expr) => {
                        match (is_zeroed, align) {
                            (true, None) => $handle.try_alloc_array::<u8>(len)?.as_mut_ptr(),
                            (true, Some(align)) => {
                                $handle.try_alloc_array_aligned::<u8>(len, align)?.as_mut_ptr()
                            }
                            (false, None) => {
                                $handle.try_alloc_uninit::<u8>(len)?.as_mut_ptr().cast()
                            }
                            (false, Some(align)) => {
                                $handle.try_alloc_uninit_aligned::<u8>(len, align)?.as_mut_ptr().cast()
                            }
                        }
                    };
                }
                Ok(if is_exclusive { from!(self.exclusive()) } else { from!(self) })
            }

            fn used_bytes(&self) -> usize {
                self.used_bytes()
            }

            fn nest(&mut self, model: &mut Model, depth: usize) {
                self.scope(|mut scope| model.steps(&mut scope, depth));
            }

            $($more)*
        }
    };
}

hands!(Arena, {
    fn whole(&mut self, model: &mut Model, depth: usize) {
        match model.random.below(4) {
            0 => {
                self.reset();
                model.live.clear();
            }
            1 => {
                self.secure_wipe();
                model.live.clear();
                model.assert_wiped();
            }
            _ => {
                let count = 1 + model.random.below(5);
                let kept = model.live.len();
                let mut parts = self.split(count);
                assert_eq!(parts.len(), count);
                for _ in 0..3 {
                    let part = model.random.below(count);
                    model.steps(&mut parts[part], depth);
                }
                if model.random.below(4) == 0 {
                    std::mem::forget(parts.pop());
                }
                drop(parts);
                model.end(kept);
            }
        }
    }
});
hands!(Scope<'_>, {});
hands!(SubArena<'_>, {});

/// What was handed out and must still hold its byte.
struct Model {
    random: Random,
    bounds: (usize, usize),
    live: Vec<(usize, usize, u8)>,
    /// The calls so far, for a run that fails.
    calls: usize,
}

impl Model {
    fn steps(&mut self, handle: &mut dyn Hands, depth: usize) {
        for _ in 0..=self.random.below(STEPS >> (2 * depth)) {
            match self.random.below(20) {
                0 if depth < 3 => {
                    let (kept, used) = (self.live.len(), handle.used_bytes());
                    handle.nest(self, depth + 1);
                    self.end(kept);
                    assert_eq!(handle.used_bytes(), used, "call {}", self.calls);
                }
                1 => handle.whole(self, depth + 1),
                _ => self.call(handle),
            }
        }
    }

    fn call(&mut self, handle: &mut dyn Hands) {
        let call = Call::any(&mut self.random);
        let before = handle.used_bytes();
        self.calls += 1;
        let said = format!("call {}: {call:?}", self.calls);
        let start = match handle.call(call) {
            Ok(start) => start,
            Err(Error::ArenaFull { .. }) => {
                assert_eq!(handle.used_bytes(), before, "{said}: a refusal takes nothing");
                return;
            }
            Err(error) => panic!("{said}: {error}"),
        };
        let (from, len) = (start.addr(), call.len);

        let align = call.align.unwrap_or(if len >= 1 << 20 { 4096 } else { 64 });
        assert_eq!(from % align, 0, "{said}");
        if len == 0 {
            return;
        }
        assert!(from >= self.bounds.0 && from + len <= self.bounds.1, "{said}: outside");
        let is_apart =
            |&(other, bytes, _): &(usize, usize, u8)| from + len <= other || other + bytes <= from;
        assert!(self.live.iter().all(is_apart), "{said}: overlaps");
        if call.is_zeroed {
            // SAFETY: the arena handed these bytes out, and the model alone uses them.
            let bytes = unsafe { slice::from_raw_parts(start, len) };
            assert!(bytes.iter().all(|&byte| byte == 0), "{said}: not zero");
        }
        let byte = u8::try_from(self.calls % 255).expect("a byte") + 1;
        // SAFETY: as above.
        unsafe { start.write_bytes(byte, len) };
        self.live.push((start.expose_provenance(), len, byte));
    }

    /// Checks what is live, and takes what came after the first `kept` as ended.
    fn end(&mut self, kept: usize) {
        for &(from, len, byte) in &self.live {
            let start = std::ptr::with_exposed_provenance::<u8>(from);
            // SAFETY: the bytes were handed out and are not taken back.
            let bytes = unsafe { slice::from_raw_parts(start, len) };
            assert!(bytes.iter().all(|&other| other == byte), "call {}", self.calls);
        }
        self.live.truncate(kept);
    }

    fn assert_wiped(&self) {
        let start = std::ptr::with_exposed_provenance::<u8>(self.bounds.0);
        // SAFETY: the arena has these bytes, which were all wiped or never handed out.
        let bytes = unsafe { slice::from_raw_parts(start, self.bounds.1 - self.bounds.0) };
        assert!(bytes.iter().all(|&byte| byte == 0), "call {}", self.calls);
    }
}

#[test]
fn random_calls_hand_out_what_a_list_would() {
    for seed in 1..=30 {
        println!("seed {seed}");
        let mut arena = Arena::with_capacity(CAPACITY).expect("memory");
        let (start, bytes) = (arena.as_mut_ptr(), arena.capacity_bytes());
        // What is never handed out is zero, so that a wipe leaves nothing at all.
        // SAFETY: the arena has that many bytes.
        unsafe { start.write_bytes(0, bytes) };
        let from = start.expose_provenance();
        let mut model = Model {
            random: Random(seed),
            bounds: (from, from + bytes),
            live: Vec::new(),
            calls: 0,
        };

        model.steps(&mut arena, 0);

        model.end(0);
        assert!(model.calls > 0);
    }
}
