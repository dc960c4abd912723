//! Sums whose scratch becomes zero while threads work in it, as it does when a process exits in the
//! middle of a proof. Every secret of the process is wiped, so this is a process of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nalloc::Arena;
use nalloc_bn254::curve::CurveField;
use nalloc_bn254::{
    Affine, Field, Fq, Fq2, Fr, Kernels, Pool, msm_scratch_bytes, msm_with_kernels,
};

const POINTS: usize = 3000;
const THREADS: usize = 2;
/// Sums of each kind that are wiped all the while.
const ROUNDS: usize = 20;

/// Different multiples of the generator.
fn points<F: CurveField>() -> Vec<Affine<F>> {
    let step = Affine::<F>::GENERATOR.mul_scalar_vartime(Fr::from_u64(987_654_321));
    let mut current = step.double();
    let mut next = || {
        current = current.add(&step);
        current.to_affine()
    };
    (0..POINTS).map(|_| next()).collect()
}

fn scalars() -> Vec<[u64; 4]> {
    let mut x = Fr::from_u64(7);
    let mut next = || {
        x = x.square() + Fr::from_u64(3);
        x.to_plain()
    };
    (0..POINTS).map(|_| next()).collect()
}

/// Ends the wiping thread, also where a sum panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Overwrites all secrets of the process for as long as `work` runs.
fn while_wiping<T>(work: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                // SAFETY: not as the function asks: threads of the pool use the scratch meanwhile.
                // They do so when a process exits, too, and the sum promises that it does no harm.
                unsafe { nalloc::wipe_all_secrets() };
                thread::yield_now();
            }
        });
        let _over = Over(&is_over);
        work()
    })
}

/// How many sums came out wrong because their scratch was wiped.
fn wrong_sums<F: CurveField>(bases: &[Affine<F>], scalars: &[[u64; 4]], kernels: Kernels) -> usize {
    let pool = Pool::new(Some(THREADS)).expect("a pool");
    let bytes = msm_scratch_bytes::<F>(bases.len(), THREADS);
    let scratch = Arena::builder().capacity_bytes(bytes).secret(true).build();
    let mut scratch = scratch.expect("a secret arena");
    let sum = |scratch: &mut Arena| {
        scratch.reset();
        let sum = msm_with_kernels(bases, scalars, &pool, scratch, &(), kernels);
        sum.expect("scalars, points and scratch are good").to_affine()
    };
    let expected = sum(&mut scratch);

    let is_wrong = |_: &usize| sum(&mut scratch) != expected;
    while_wiping(|| (0..ROUNDS).filter(is_wrong).count())
}

/// Points and scalars.
type Kind<'a, F> = (&'a [Affine<F>], &'a [[u64; 4]]);

/// Sums of every way that scratch is used.
fn check<F: CurveField>(kernels: Kernels) {
    let (bases, scalars) = (points::<F>(), scalars());
    let equal_points = vec![bases[0]; POINTS];
    let equal_scalars = vec![scalars[0]; POINTS];
    let short: Vec<_> = scalars.iter().map(|scalar| [scalar[0], 0, 0, 0]).collect();
    let one = |index: usize| if index.is_multiple_of(3) { Fr::ONE } else { -Fr::ONE };
    let ones: Vec<_> = (0..POINTS).map(|index| one(index).to_plain()).collect();
    let kinds: [Kind<'_, F>; 6] = [
        (&bases, &scalars),
        (&bases, &short),
        (&bases, &ones),
        (&bases, &equal_scalars),
        (&equal_points, &scalars),
        (&equal_points, &equal_scalars),
    ];
    let mut wrong = 0;
    for (bases, scalars) in kinds {
        wrong += wrong_sums(bases, scalars, kernels);
        wrong_sums(&bases[..20], &scalars[..20], kernels);
    }
    // The control: wipes came in the middle of sums.
    assert!(wrong > ROUNDS, "{wrong} sums were wiped while they ran");
}

#[test]
fn sums_whose_scratch_is_wiped_at_every_moment_end_and_touch_nothing_else() {
    for kernels in Kernels::ifma().into_iter().chain([Kernels::PORTABLE]) {
        check::<Fq>(kernels);
        check::<Fq2>(kernels);
    }
}
