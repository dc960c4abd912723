//! A Plonky3 prover on nalloc's memory: `npm run example:plonky3`.
//!
//! Two lines put it there, those of `GLOBAL`; the rest is what any program with Plonky3 has: a STARK
//! of Keccak permutations over `KoalaBear`, with Keccak for its trees. It proves a few times, and says
//! how many of the large blocks came from pages that the proof before had left.

use std::time::Instant;

use nalloc::NAlloc;
use p3_challenger::{HashChallenger, SerializingChallenger32};
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::extension::BinomialExtensionField;
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_keccak::{Keccak256Hash, KeccakF, VECTOR_LEN};
use p3_keccak_air::{KeccakAir, generate_trace_rows};
use p3_koala_bear::KoalaBear;
use p3_merkle_tree::MerkleTreeMmcs;
use p3_symmetric::{CompressionFunctionFromHasher, PaddingFreeSponge, SerializingHasher};
use p3_uni_stark::{StarkConfig, prove, verify};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

#[global_allocator]
static GLOBAL: NAlloc = NAlloc::new();

const PROOFS: usize = 3;
/// They fill 2^12 rows of 2633 columns.
const PERMUTATIONS: usize = 170;
const SEED: u64 = 1;
/// Digests of a tree's upper levels that a commitment carries.
const CAP_LOG2: usize = 3;

type Value = KoalaBear;
type Challenge = BinomialExtensionField<Value, 4>;
type Sponge = PaddingFreeSponge<KeccakF, 25, 17, 4>;
type LeafHash = SerializingHasher<Sponge>;
type NodeHash = CompressionFunctionFromHasher<Sponge, 2, 4>;
type Trees = MerkleTreeMmcs<[Value; VECTOR_LEN], [u64; VECTOR_LEN], LeafHash, NodeHash, 2, 4>;
type ChallengeTrees = ExtensionMmcs<Value, Challenge, Trees>;
type Pcs = TwoAdicFriPcs<Value, Radix2DitParallel<Value>, Trees, ChallengeTrees>;
type Challenger = SerializingChallenger32<Value, HashChallenger<u8, Keccak256Hash, 32>>;
type Config = StarkConfig<Pcs, Challenge, Challenger>;

fn main() {
    let sponge = Sponge::new(KeccakF {});
    let trees = Trees::new(LeafHash::new(sponge), NodeHash::new(sponge), CAP_LOG2);
    let parameters = FriParameters::new_benchmark(ChallengeTrees::new(trees.clone()));
    let log_blowup = parameters.log_blowup;
    let pcs = Pcs::new(Radix2DitParallel::default(), trees, parameters);
    let config = Config::new(pcs, Challenger::from_hasher(vec![], Keccak256Hash {}));
    let mut random = SmallRng::seed_from_u64(SEED);

    println!("proof      ms  from warm pages  from the system  cached MiB");
    for proof in 1..=PROOFS {
        let before = nalloc::stats();
        let started = Instant::now();
        let inputs = (0..PERMUTATIONS).map(|_| random.random()).collect();
        let trace = generate_trace_rows(inputs, log_blowup);
        let made = prove(&config, &KeccakAir {}, trace, &[]).expect("the trace is a valid one");
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        verify(&config, &KeccakAir {}, &made, &[]).expect("the proof verifies");

        let after = nalloc::stats();
        let (hits, misses) = (after.hits - before.hits, after.misses - before.misses);
        let cached = after.cached_bytes >> 20;
        println!("{proof:5} {milliseconds:7.0} {hits:16} {misses:16} {cached:11}");
    }
}
