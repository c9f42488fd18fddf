"""Whether a layer has training samples enough to learn anything from."""

from collections.abc import Collection, Sequence

from omicsfusion.tables.ids import shown
from omicsfusion.tables.layer_ids import LayerIds
from omicsfusion.tables.problems import Problems

# As in preprocess/chain.py: a training set with fewer samples of a layer goes without it.
FEW = 5


def check_layer_sizes(
    layers: Sequence[LayerIds], training: Collection[str], problems: Problems
) -> None:
    """Report layers with one training sample, or with too few for any training set.

    Parameters
    ----------
    layers
        Of all cohorts.
    training
        The samples that are used and whose cohort is trained on.
    """
    held: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for layer in layers:
        held.setdefault(layer.layer, set()).update(set(layer.samples) & set(training))
        if held[layer.layer]:
            names.setdefault(layer.layer, layer.name)
    for name, samples in sorted(held.items()):
        if len(samples) == 1:
            problems.error(
                f"Layer {name!r} has one training sample ({shown(samples)}).",
                "Nothing can be learnt from one sample: leave the layer out of the samplesheet, or "
                "look whether its sample ids are those of samples.tsv.",
                file=names[name],
            )
        elif 1 < len(samples) < FEW:
            problems.warn(
                f"Layer {name!r} has {len(samples)} training samples: {shown(sorted(samples))}.",
                f"Models go without a layer that fewer than {FEW} of their training samples have: "
                "leave it out of the samplesheet, or look whether its sample ids are those of "
                "samples.tsv.",
                file=names[name],
            )
