//! Plonky3 over KoalaBear with Keccak-256 for its trees: permutations of Keccak, and of Poseidon2
//! by the circuit that does eight in a row.

use p3_challenger::{HashChallenger, SerializingChallenger32};
use p3_commit::ExtensionMmcs;
use p3_dft::Radix2DitParallel;
use p3_field::extension::BinomialExtensionField;
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_keccak::{Keccak256Hash, KeccakF, VECTOR_LEN};
use p3_keccak_air::{KeccakAir, generate_trace_rows};
use p3_koala_bear::{
    GenericPoseidon2LinearLayersKoalaBear, KOALABEAR_POSEIDON2_HALF_FULL_ROUNDS,
    KOALABEAR_POSEIDON2_PARTIAL_ROUNDS_16, KOALABEAR_S_BOX_DEGREE, KoalaBear,
};
use p3_merkle_tree::MerkleTreeMmcs;
use p3_poseidon2_air::{RoundConstants, VectorizedPoseidon2Air};
use p3_symmetric::{CompressionFunctionFromHasher, PaddingFreeSponge, SerializingHasher};
use p3_uni_stark::{Proof, StarkConfig, prove, verify};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::Prover;

/// Of Keccak, which fill 2^15 rows.
const KECCAK_PERMUTATIONS: usize = 1365;
/// Of Poseidon2, eight in each of 2^16 rows.
const POSEIDON2_PERMUTATIONS: usize = POSEIDON2_IN_A_ROW << 16;
const POSEIDON2_IN_A_ROW: usize = 8;
const POSEIDON2_WIDTH: usize = 16;
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
type Poseidon2Air = VectorizedPoseidon2Air<
    Value,
    GenericPoseidon2LinearLayersKoalaBear,
    POSEIDON2_WIDTH,
    KOALABEAR_S_BOX_DEGREE,
    0,
    KOALABEAR_POSEIDON2_HALF_FULL_ROUNDS,
    KOALABEAR_POSEIDON2_PARTIAL_ROUNDS_16,
    POSEIDON2_IN_A_ROW,
>;

/// The configuration, and by how many bits a codeword is longer than its trace.
fn config() -> (Config, usize) {
    let sponge = Sponge::new(KeccakF {});
    let trees = Trees::new(LeafHash::new(sponge), NodeHash::new(sponge), CAP_LOG2);
    let parameters = FriParameters::new_benchmark(ChallengeTrees::new(trees.clone()));
    let log_blowup = parameters.log_blowup;
    let pcs = Pcs::new(Radix2DitParallel::default(), trees, parameters);
    let challenger = Challenger::from_hasher(vec![], Keccak256Hash {});
    (Config::new(pcs, challenger), log_blowup)
}

/// Permutations of Keccak.
pub struct Keccak {
    config: Config,
    log_blowup: usize,
}

impl Keccak {
    pub fn new() -> Self {
        let (config, log_blowup) = config();
        Self { config, log_blowup }
    }

    fn proof(&self) -> Result<Proof<Config>, String> {
        let mut random = SmallRng::seed_from_u64(SEED);
        let inputs = (0..KECCAK_PERMUTATIONS).map(|_| random.random()).collect();
        let trace = generate_trace_rows(inputs, self.log_blowup);
        prove(&self.config, &KeccakAir {}, trace, &[]).map_err(|error| format!("{error:?}"))
    }
}

impl Prover for Keccak {
    fn prove(&self) {
        drop(self.proof());
    }

    fn check(&self) -> Result<(), String> {
        verify(&self.config, &KeccakAir {}, &self.proof()?, &[])
            .map_err(|error| format!("{error:?}"))
    }
}

/// Permutations of Poseidon2.
pub struct Poseidon2 {
    config: Config,
    log_blowup: usize,
    air: Poseidon2Air,
}

impl Poseidon2 {
    pub fn new() -> Self {
        let (config, log_blowup) = config();
        let constants = RoundConstants::from_rng(&mut SmallRng::seed_from_u64(SEED));
        Self { config, log_blowup, air: Poseidon2Air::new(constants) }
    }

    fn proof(&self) -> Result<Proof<Config>, String> {
        let trace =
            self.air.generate_vectorized_trace_rows(POSEIDON2_PERMUTATIONS, self.log_blowup);
        prove(&self.config, &self.air, trace, &[]).map_err(|error| format!("{error:?}"))
    }
}

impl Prover for Poseidon2 {
    fn prove(&self) {
        drop(self.proof());
    }

    fn check(&self) -> Result<(), String> {
        verify(&self.config, &self.air, &self.proof()?, &[]).map_err(|error| format!("{error:?}"))
    }
}
