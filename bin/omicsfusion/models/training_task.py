"""One TRAIN task: read a group's matrices, train one model on each scope, write what came of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omicsfusion.models.accelerator import NONE, settle_gpu
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.heads.suitable import AUTO
from omicsfusion.models.network_modules import JOINT, NETWORKS
from omicsfusion.models.registry import PRETRAINED, ModelSpec, parse_model, refuse_other_tasks
from omicsfusion.models.request import ENSEMBLE, TrainingRequest
from omicsfusion.models.settings import read_settings
from omicsfusion.models.targets import fits_of_targets
from omicsfusion.models.trainers import trainer_of
from omicsfusion.models.training_files import write_fits
from omicsfusion.pretraining import UnusablePretrainingError, refuse_tested
from omicsfusion.scopes import permutation_in, read_splits
from omicsfusion.tables.arguments import listed
from omicsfusion.tables.outcome import read_outcomes
from omicsfusion.tables.tsv import read_tsv

if TYPE_CHECKING:
    from omicsfusion.models.pretrained import Pretrained


def train_group(
    *,
    out: str,
    model: str,
    matrices: Sequence[Path],
    splits: Path,
    samples: Path,
    horizons: Path | None,
    group: str,
    task: str,
    target: str,
    seed: int,
    gene_sets: Sequence[Path] = (),
    network: Path | None = None,
    positions: Path | None = None,
    head: str = AUTO,
    class_order: tuple[str, ...] = (),
    ensemble: int = ENSEMBLE,
    mc_dropout: int = 0,
    distil: bool = False,
    trials: int = 0,
    settings: str = "",
    tuning_minutes: int = 0,
    studies: Sequence[Path] = (),
    pretrained: Path | None = None,
    gpu: str = NONE,
    cpus: int = 1,
) -> None:
    """Train ``model`` on every scope of ``group`` and write the files of the contract.

    Writes ``<out>.predictions.tsv``, ``<out>.members.tsv``, ``<out>.training.tsv``,
    ``<out>.curves.tsv``, ``<out>.trials.tsv``, ``<out>.trials_importance.tsv`` and the folder
    ``<out>.models`` (see docs/architecture.md).

    Parameters
    ----------
    target
        One name, or several separated by commas.
    """
    outcomes = read_outcomes(samples, task, listed(target))
    outcome = next(iter(outcomes.values()))
    times = [] if horizons is None else read_tsv(horizons)["time"].tolist()
    run = read_splits(splits)
    reader = GroupReader(matrices, run[run["group"] == group], run)
    spec = parse_model(model, reader.layer_names)
    refuse_other_tasks(spec, task)
    if pretrained is not None:
        refuse_tested(run, pretrained)
    if spec.family in NETWORKS:
        settle_gpu(gpu)
    request = TrainingRequest(
        spec,
        outcome,
        times,
        seed,
        gene_sets=tuple(gene_sets),
        network=network,
        positions=positions,
        head=head,
        class_order=class_order,
        ensemble=ensemble,
        mc_dropout=mc_dropout,
        distil=distil,
        trials=trials,
        settings=read_settings(settings),
        tuning_minutes=tuning_minutes,
        studies=tuple(studies),
        threads=cpus,
        targets=outcomes if len(outcomes) > 1 else {},
        pretrained=None if pretrained is None else _encoders(pretrained, spec, reader),
    )
    fits = fits_of_targets(trainer_of(spec.family), request, reader, spec.family in JOINT)
    write_fits(out, fits, request, target, permutation_in(run))


def _encoders(path: Path, spec: ModelSpec, reader: GroupReader) -> "Pretrained":
    """Read pretrained encoders; refuse those that the model cannot begin from."""
    if spec.family not in PRETRAINED:
        raise UnusablePretrainingError(
            f"Model {spec.name!r} takes no pretrained encoders, only the families "
            f"{', '.join(PRETRAINED)} do: train it without --pretrained."
        )
    # It imports Keras, which the baselines do without.
    from omicsfusion.models.pretrained import read_pretrained, refuse_strangers

    encoders = read_pretrained(path)
    in_scopes = [reader.features(scope, spec.layers) for scope in reader.scopes]
    refuse_strangers(encoders, in_scopes)
    return encoders
