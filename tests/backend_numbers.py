"""What networks compute under the backend that KERAS_BACKEND names, for a test that compares two.

``python -m tests.backend_numbers FOLDER MODELS``: the inputs lie in FOLDER; the networks in the
folder MODELS are explained; all numbers are written into the working directory.
"""

import os
import sys
from pathlib import Path

if os.environ["KERAS_BACKEND"] == "jax":
    sys.modules["tensorflow"] = None  # as where it is not installed: importing it fails

import numpy as np

from omicsfusion.interpret.explanation import explain_model
from omicsfusion.models import training
from omicsfusion.models.accelerator import tried_gpu
from omicsfusion.models.families.attention import AttentionNetwork
from omicsfusion.models.families.fused import FusedNetwork
from omicsfusion.models.families.graph import GraphNetwork
from omicsfusion.models.families.vae import VariationalNetwork
from omicsfusion.models.gene_network import gene_network
from omicsfusion.models.training_task import train_group
from tests.small_networks import Features, trained_together

FEATURES = {"mirna": ("A", "B", "m1"), "rna": ("A", "C", "D", "E_1", "E_2", "X")}
WIDTHS = {name: len(features) for name, features in FEATURES.items()}
SEEDS = (4, 5)
CONVOLUTIONS = ("gcn", "gat")


def networks() -> dict[str, object]:
    """Build small networks of four families; the graph is read tile by tile."""
    size = {"widths": WIDTHS, "units": 1, "members": len(SEEDS)}
    ends = np.arange(4)
    graph = {
        "gene_layers": ("mirna", "rna"),
        "tiles": {"tiles": 2, "rows": 4, "edges": 20, "dense": False},
        "network": gene_network("net.tsv", list("ABCDE"), ends, ends + 1, np.ones(4)),
    }
    return {
        "fused": FusedNetwork(**size),
        "attention": AttentionNetwork(**size),
        "vae": VariationalNetwork(**size),
        **{name: GraphNetwork(**size, **graph, convolution=name) for name in CONVOLUTIONS},
    }


def after_one_epoch() -> dict[str, np.ndarray]:
    """Return the weights of all families after one epoch of two steps, and their losses."""
    training.EPOCHS_WITHOUT_STOP = 1
    found = {}
    own: dict[int, Features] = dict.fromkeys(SEEDS, FEATURES)
    for family, network in networks().items():
        network.build()
        [together] = trained_together(network, own)
        for seed, one in zip(SEEDS, together, strict=True):
            found[f"{family}-{seed}-losses"] = np.array(one.curve[0][1:])
            for place, weight in enumerate(one.weights):
                found[f"{family}-{seed}-{place:03d}"] = weight
    return found


def main(folder: Path, models: Path) -> None:
    print(tried_gpu("allowed"))
    run = {
        "model": "fused",
        "matrices": sorted(folder.glob("*.matrices.h5")),
        "splits": folder / "splits.tsv",
        "seed": 3,
    }
    more = {"samples": folder / "samples.tsv", "horizons": None, "group": "all"}
    train_group(out="fused.all", task="regression", target="outcome", **run, **more)
    explain_model(out="fused", models=[models], **run)
    np.savez("weights.npz", **after_one_epoch())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
