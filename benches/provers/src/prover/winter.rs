//! winterfell over its field of 128 bits: columns that are cubed and added to in every step.

use winterfell::crypto::{DefaultRandomCoin, MerkleTree, hashers::Blake3_256};
use winterfell::math::{FieldElement, ToElements, fields::f128::BaseElement};
use winterfell::matrix::ColMatrix;
use winterfell::{
    AcceptableOptions, Air, AirContext, Assertion, AuxRandElements, BatchingMethod,
    CompositionPoly, CompositionPolyTrace, ConstraintCompositionCoefficients,
    DefaultConstraintCommitment, DefaultConstraintEvaluator, DefaultTraceLde, EvaluationFrame,
    FieldExtension, PartitionOptions, Proof, ProofOptions, Prover as Winterfell, StarkDomain,
    Trace, TraceInfo, TracePolyTable, TraceTable, TransitionConstraintDegree, verify,
};

use super::Prover;

const COLUMNS: usize = 32;
const STEPS_LOG2: u32 = 16;
const QUERIES: usize = 32;
const BLOWUP: usize = 8;
const GRINDING_BITS: u32 = 0;
const FOLDING: usize = 8;
const REMAINDER_DEGREE_MAX: usize = 31;
const ADDED: BaseElement = BaseElement::new(42);

type Hash = Blake3_256<BaseElement>;
type Tree = MerkleTree<Hash>;
type Coin = DefaultRandomCoin<Hash>;

/// First and last value of every column.
#[derive(Clone)]
pub struct Ends {
    first: Vec<BaseElement>,
    last: Vec<BaseElement>,
}

impl ToElements<BaseElement> for Ends {
    fn to_elements(&self) -> Vec<BaseElement> {
        [&self.first[..], &self.last[..]].concat()
    }
}

/// next = current^3 + 42, in every column.
pub struct CubeAir {
    context: AirContext<BaseElement>,
    ends: Ends,
}

impl Air for CubeAir {
    type BaseField = BaseElement;
    type PublicInputs = Ends;

    fn new(trace_info: TraceInfo, ends: Ends, options: ProofOptions) -> Self {
        let degrees = vec![TransitionConstraintDegree::new(3); COLUMNS];
        Self { context: AirContext::new(trace_info, degrees, 2 * COLUMNS, options), ends }
    }

    fn evaluate_transition<E: FieldElement + From<BaseElement>>(
        &self,
        frame: &EvaluationFrame<E>,
        _: &[E],
        result: &mut [E],
    ) {
        let steps = frame.current().iter().zip(frame.next());
        for (out, (current, next)) in result.iter_mut().zip(steps) {
            *out = *next - (current.cube() + E::from(ADDED));
        }
    }

    fn get_assertions(&self) -> Vec<Assertion<BaseElement>> {
        let last_step = self.trace_length() - 1;
        let at = |step: usize, values: &[BaseElement]| -> Vec<_> {
            let columns = values.iter().enumerate();
            columns.map(|(column, &value)| Assertion::single(column, step, value)).collect()
        };
        [at(0, &self.ends.first), at(last_step, &self.ends.last)].concat()
    }

    fn context(&self) -> &AirContext<BaseElement> {
        &self.context
    }
}

/// The statement and its prover.
pub struct Cubes {
    options: ProofOptions,
}

impl Cubes {
    pub fn new() -> Self {
        let options = ProofOptions::new(
            QUERIES,
            BLOWUP,
            GRINDING_BITS,
            FieldExtension::None,
            FOLDING,
            REMAINDER_DEGREE_MAX,
            BatchingMethod::Linear,
            BatchingMethod::Linear,
        );
        Self { options }
    }

    fn proof(&self) -> Result<(Proof, Ends), String> {
        let mut trace = TraceTable::new(COLUMNS, 1 << STEPS_LOG2);
        trace.fill(
            |state| {
                for (column, value) in (1_u128..).zip(state.iter_mut()) {
                    *value = BaseElement::new(column);
                }
            },
            |_, state| state.iter_mut().for_each(|value| *value = value.cube() + ADDED),
        );
        let ends = self.get_pub_inputs(&trace);
        let proof = Winterfell::prove(self, trace).map_err(|error| error.to_string())?;
        Ok((proof, ends))
    }
}

impl Prover for Cubes {
    fn prove(&self) {
        drop(self.proof());
    }

    fn check(&self) -> Result<(), String> {
        let (proof, ends) = self.proof()?;
        let options = AcceptableOptions::OptionSet(vec![self.options.clone()]);
        verify::<CubeAir, Hash, Coin, Tree>(proof, ends, &options)
            .map_err(|error| error.to_string())
    }
}

impl Winterfell for Cubes {
    type BaseField = BaseElement;
    type Air = CubeAir;
    type Trace = TraceTable<BaseElement>;
    type HashFn = Hash;
    type VC = Tree;
    type RandomCoin = Coin;
    type TraceLde<E: FieldElement<BaseField = BaseElement>> = DefaultTraceLde<E, Hash, Tree>;
    type ConstraintCommitment<E: FieldElement<BaseField = BaseElement>> =
        DefaultConstraintCommitment<E, Hash, Tree>;
    type ConstraintEvaluator<'a, E: FieldElement<BaseField = BaseElement>> =
        DefaultConstraintEvaluator<'a, CubeAir, E>;

    fn get_pub_inputs(&self, trace: &Self::Trace) -> Ends {
        let at = |step| (0..COLUMNS).map(|column| trace.get(column, step)).collect();
        Ends { first: at(0), last: at(trace.length() - 1) }
    }

    fn options(&self) -> &ProofOptions {
        &self.options
    }

    fn new_trace_lde<E: FieldElement<BaseField = BaseElement>>(
        &self,
        info: &TraceInfo,
        trace: &ColMatrix<BaseElement>,
        domain: &StarkDomain<BaseElement>,
        partitions: PartitionOptions,
    ) -> (Self::TraceLde<E>, TracePolyTable<E>) {
        DefaultTraceLde::new(info, trace, domain, partitions)
    }

    fn build_constraint_commitment<E: FieldElement<BaseField = BaseElement>>(
        &self,
        trace: CompositionPolyTrace<E>,
        columns: usize,
        domain: &StarkDomain<BaseElement>,
        partitions: PartitionOptions,
    ) -> (Self::ConstraintCommitment<E>, CompositionPoly<E>) {
        DefaultConstraintCommitment::new(trace, columns, domain, partitions)
    }

    fn new_evaluator<'a, E: FieldElement<BaseField = BaseElement>>(
        &self,
        air: &'a CubeAir,
        random: Option<AuxRandElements<E>>,
        coefficients: ConstraintCompositionCoefficients<E>,
    ) -> Self::ConstraintEvaluator<'a, E> {
        DefaultConstraintEvaluator::new(air, random, coefficients)
    }
}
