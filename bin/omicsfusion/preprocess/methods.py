"""Which class does which method of the catalogue."""

from omicsfusion.preprocess.batch.combat import ComBat
from omicsfusion.preprocess.batch.linear_removal import LinearRemoval
from omicsfusion.preprocess.clinical import ClinicalEncoder
from omicsfusion.preprocess.filter import FeatureFilter
from omicsfusion.preprocess.impute.auto import AutoImputer
from omicsfusion.preprocess.impute.autoencoder import AutoencoderImputer
from omicsfusion.preprocess.impute.censored import CensoredImputer
from omicsfusion.preprocess.impute.forest import ForestImputer
from omicsfusion.preprocess.impute.low_rank import LowRankImputer
from omicsfusion.preprocess.impute.median import MedianImputer
from omicsfusion.preprocess.impute.neighbours import NeighbourImputer
from omicsfusion.preprocess.impute.regression import RidgeChainImputer
from omicsfusion.preprocess.normalise.composition import (
    AdditiveLogRatio,
    CentredLogRatio,
    IsometricLogRatio,
    RelativeAbundance,
)
from omicsfusion.preprocess.normalise.copy_number import ClippedCopyNumber, GenesFromSegments
from omicsfusion.preprocess.normalise.library_size import CountsPerMillion, UpperQuartile
from omicsfusion.preprocess.normalise.median_of_ratios import MedianOfRatios
from omicsfusion.preprocess.normalise.metabolites import (
    QuotientNormalised,
    ReferenceNormalised,
    TotalNormalised,
)
from omicsfusion.preprocess.normalise.methylation import BetaValues, MValues
from omicsfusion.preprocess.normalise.methylation_design import DesignCorrection
from omicsfusion.preprocess.normalise.mutations import AlleleFractions, BinaryCalls, MutationFilter
from omicsfusion.preprocess.normalise.plain import (
    AsTheyCame,
    LogTransform,
    SampleRanks,
    SampleZscore,
)
from omicsfusion.preprocess.normalise.proteins import (
    MedianCentring,
    ProteinQuantiles,
    VarianceStabilised,
)
from omicsfusion.preprocess.normalise.quantile_reference import QuantileReference
from omicsfusion.preprocess.normalise.tmm import TrimmedMean
from omicsfusion.preprocess.normalise.tpm import TranscriptsPerMillion
from omicsfusion.preprocess.normalise.vst import VarianceStabiliser
from omicsfusion.preprocess.scale import FeatureScaler
from omicsfusion.preprocess.select.clumping import ClumpingSelector
from omicsfusion.preprocess.select.laplacian import LaplacianSelector
from omicsfusion.preprocess.select.names import ListSelector
from omicsfusion.preprocess.select.spread import AllFeatures, MadSelector, VarianceSelector
from omicsfusion.preprocess.select.stability import StabilitySelector
from omicsfusion.preprocess.select.univariate import UnivariateSelector
from omicsfusion.preprocess.step import Step
from omicsfusion.recipes.recipe import Choice

METHODS: dict[tuple[str, str], type[Step]] = {
    ("encode", "one_hot"): ClinicalEncoder,
    ("normalise", "tmm"): TrimmedMean,
    ("normalise", "cpm"): CountsPerMillion,
    ("normalise", "upper_quartile"): UpperQuartile,
    ("normalise", "tpm"): TranscriptsPerMillion,
    ("normalise", "median_of_ratios"): MedianOfRatios,
    ("normalise", "vst"): VarianceStabiliser,
    ("normalise", "clr"): CentredLogRatio,
    ("normalise", "ilr"): IsometricLogRatio,
    ("normalise", "alr"): AdditiveLogRatio,
    ("normalise", "relative"): RelativeAbundance,
    ("normalise", "as_is"): AsTheyCame,
    ("normalise", "log2"): LogTransform,
    ("normalise", "quantile"): QuantileReference,
    ("normalise", "zscore"): SampleZscore,
    ("normalise", "rank"): SampleRanks,
    ("normalise", "m_values"): MValues,
    ("normalise", "beta"): BetaValues,
    ("normalise", "by_design"): DesignCorrection,
    ("normalise", "median_centre"): MedianCentring,
    ("normalise", "protein_quantile"): ProteinQuantiles,
    ("normalise", "asinh"): VarianceStabilised,
    ("normalise", "pqn"): QuotientNormalised,
    ("normalise", "total_sum"): TotalNormalised,
    ("normalise", "reference_feature"): ReferenceNormalised,
    ("normalise", "binary"): BinaryCalls,
    ("normalise", "vaf"): AlleleFractions,
    ("normalise", "clip"): ClippedCopyNumber,
    ("normalise", "genes"): GenesFromSegments,
    ("filter", "mutation"): MutationFilter,
    ("filter", "present"): FeatureFilter,
    ("scale", "zscore"): FeatureScaler,
    ("scale", "robust"): FeatureScaler,
    ("scale", "pareto"): FeatureScaler,
    ("scale", "clip_only"): FeatureScaler,
    ("scale", "zscore_numbers"): FeatureScaler,
    ("batch", "combat"): ComBat,
    ("batch", "linear"): LinearRemoval,
    ("select", "all"): AllFeatures,
    ("select", "variance"): VarianceSelector,
    ("select", "mad"): MadSelector,
    ("select", "laplacian"): LaplacianSelector,
    ("select", "univariate"): UnivariateSelector,
    ("select", "stability"): StabilitySelector,
    ("select", "clumping"): ClumpingSelector,
    ("select", "list"): ListSelector,
    ("impute", "median"): MedianImputer,
    ("impute", "knn"): NeighbourImputer,
    ("impute", "iterative"): RidgeChainImputer,
    ("impute", "forest"): ForestImputer,
    ("impute", "svd"): LowRankImputer,
    ("impute", "autoencoder"): AutoencoderImputer,
    ("impute", "censored"): CensoredImputer,
    ("impute", "auto"): AutoImputer,
}
# By the name under which a fitted step is saved.
CLASSES = {step.__name__: step for step in METHODS.values()}


def make_step(choice: Choice, task: str) -> Step:
    """Make the unfitted step; one that learns from the outcome is told the task."""
    cls = METHODS[choice.step, choice.method]
    told = {"task": task} if cls.supervised else {}
    return cls(**choice.options, **told)
