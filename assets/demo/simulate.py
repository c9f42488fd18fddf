"""Simulate the demo cohort: omics layers, survival, subtype and response with a known truth.

    python assets/demo/simulate.py assets/demo

Three hidden factors, each standard normal over patients, stand behind the planted features:

- ``growth`` moves genes in all three layers, raises the hazard and the response;
- ``silencing`` shows in methylation only and raises the hazard, so that no single layer says
  everything about survival;
- ``immune`` moves other genes in all three layers, decides the subtype and lowers the response.

Age raises the hazard as well, stage follows growth loosely, sex and site mean nothing (sites shift
some RNA and protein features: a batch effect). All other features are noise.
"""

import gzip
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 2024
FACTORS = ("growth", "immune", "silencing")
SEEN_IN = {
    "rna": ("growth", "immune"),
    "methylation": ("growth", "immune", "silencing"),
    "protein": ("growth", "immune"),
}
PATIENTS = 120
FEATURES = {"rna": 300, "methylation": 200, "protein": 80}
KINDS = {"rna": "rna_log", "methylation": "methylation_beta", "protein": "protein"}
PROBES_PER_GENE = 2
MOST_PLANTED = 20  # features of one factor in one layer
DOWN_EVERY = 4  # every fourth gene of a factor falls with it, the others rise
LOADING = (0.65, 0.9)  # correlation of a planted feature with its factor

LOG_HAZARD = {"growth": 1.8, "silencing": 1.0, "age": 0.6}  # per standard deviation
RESPONSE = {"growth": 8.0, "immune": -5.0, "noise": 5.0}  # per cent
WEIBULL_SHAPE = 1.3
MEDIAN_DAYS = 900.0
CENSORED_SHARE = 0.45
SUBTYPE_SHARES = {"alpha": 0.45, "beta": 0.33, "gamma": 0.22}
SUBTYPE_NOISE = 0.15
SITE_SHIFT = 0.5  # standard deviations, at one of the three sites
SITE_SHARE = 0.2  # of the features are shifted
MISSING_LAYER_SHARE = 0.1  # of patients lack one layer
MISSING_PROTEIN_SHARE = 0.03  # of protein values

RANDOM_SETS = 18
SET_SIZES = (15, 30)

Cohort = dict[str, pd.DataFrame]


def simulate(
    n_patients: int = PATIENTS, n_features: Mapping[str, int] = FEATURES, seed: int = SEED
) -> Cohort:
    """Simulate a cohort.

    Parameters
    ----------
    n_patients
        Patients, one sample each; one in ten of them lacks one layer.
    n_features
        Features of each layer: ``rna``, ``methylation`` (two probes a gene), ``protein``. At most
        ``MOST_PLANTED``, and a fifth, of a layer's features follow each factor.
    seed
        Of the one random generator.

    Returns
    -------
    ``samples`` (a row per sample), ``rna``, ``methylation``, ``protein`` (features x samples),
    ``truth`` (``layer, feature, effect, role``: planted features only; the effect is the
    correlation with the factor named as role) and ``gene_sets`` (``term, gene``).
    """
    rng = np.random.default_rng(seed)
    names = pd.Index([f"S{i + 1:03d}" for i in range(n_patients)], name="sample")
    factors = pd.DataFrame(
        {name: _standardised(rng.normal(size=n_patients)) for name in FACTORS},
        index=names,
    )
    samples = _samples(factors, rng)
    genes = [f"GEN{i + 1:04d}" for i in range(max(n_features.values()))]
    effects = _gene_effects(genes, n_features, rng)
    features = {name: _features(name, n, genes, effects, rng) for name, n in n_features.items()}
    site = samples["site"].to_numpy()
    layers = {name: _layer(name, features[name], factors, site, rng) for name in n_features}
    absent = rng.permutation(n_patients)[
        : max(len(layers), round(MISSING_LAYER_SHARE * n_patients))
    ]
    for i, layer in enumerate(layers):
        layers[layer] = layers[layer].drop(columns=names[absent[i :: len(layers)]])
    truth = pd.concat(features.values()).query("role != ''")
    return {
        "samples": samples.reset_index(),
        **layers,
        "truth": truth.sort_values(["layer", "role", "feature"], ignore_index=True),
        "gene_sets": _gene_sets(genes[: n_features["rna"]], effects, rng),
    }


def write(cohort: Cohort, folder: str | Path) -> None:
    """Write a cohort as the files that the pipeline reads, and its truth beside them."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    sheet = [{"layer": name, "kind": KINDS[name], "file": f"{name}.tsv.gz"} for name in FEATURES]
    _write(folder / "samplesheet.csv", pd.DataFrame(sheet).to_csv(index=False, lineterminator="\n"))
    for name in ("samples", "truth"):
        _write(folder / f"{name}.tsv", _as_tsv(cohort[name], index=False))
    for name in FEATURES:
        _write(folder / f"{name}.tsv.gz", _as_tsv(cohort[name], index=True))
    sets = cohort["gene_sets"].groupby("term")["gene"]
    lines = ["\t".join([str(term), "simulated", *genes]) for term, genes in sets]
    _write(folder / "gene_sets.gmt", "\n".join(lines) + "\n")


def _standardised(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / x.std()


def _samples(factors: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    n = len(factors)
    age = _standardised(rng.normal(size=n))
    stage = _standardised(0.6 * factors["growth"].to_numpy() + 0.8 * rng.normal(size=n))
    subtype = factors["immune"].to_numpy() + SUBTYPE_NOISE * rng.normal(size=n)
    time, event = _survival(factors.assign(age=age), rng)
    response = sum(RESPONSE[name] * factors[name].to_numpy() for name in ("growth", "immune"))
    return pd.DataFrame(
        {
            "patient": [f"P{i + 1:03d}" for i in range(n)],
            "site": rng.choice(["north", "south", "west"], size=n),
            "age": np.round(60 + 10 * age).astype(int),
            "stage": _cut(stage, {"I": 0.3, "II": 0.35, "III": 0.25, "IV": 0.1}),
            "sex": rng.choice(["female", "male"], size=n),
            "subtype": _cut(subtype, SUBTYPE_SHARES),
            "os_time": time,
            "os_event": event,
            "response": np.round(50 + response + RESPONSE["noise"] * rng.normal(size=n), 2),
        },
        index=factors.index,
    )


def _cut(x: np.ndarray, shares: Mapping[str, float]) -> np.ndarray:
    """Name the parts of a ranking from the lowest up, each with its share of the patients."""
    bounds = np.cumsum(list(shares.values()))[:-1]
    rank = (np.argsort(np.argsort(x)) + 0.5) / len(x)
    return np.array(list(shares))[np.searchsorted(bounds, rank)]


def _survival(causes: pd.DataFrame, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw Weibull times with proportional hazards, and uniform censoring of a given share."""
    n = len(causes)
    log_hazard = sum(beta * causes[name].to_numpy() for name, beta in LOG_HAZARD.items())
    unit = (rng.exponential(size=n) / np.exp(log_hazard)) ** (1 / WEIBULL_SHAPE)
    died = unit * MEDIAN_DAYS / np.median(unit)
    uniform = rng.uniform(0.05, 1, size=n)
    # A patient is censored when the end of the study, times its uniform share, comes before death.
    end = np.quantile(died / uniform, 1 - CENSORED_SHARE)
    days = np.maximum(1, np.round(np.minimum(died, end * uniform)))
    return days.astype(int), (died <= end * uniform).astype(int)


def _gene_effects(
    genes: list[str], n_features: Mapping[str, int], rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """Choose the genes of each factor and the sign with which they follow it."""
    count = min(MOST_PLANTED, n_features["rna"] // 5)
    chosen = rng.permutation(genes[: n_features["rna"]])[: 3 * count].reshape(3, count)
    signs = [-1.0 if i % DOWN_EVERY == DOWN_EVERY - 1 else 1.0 for i in range(count)]
    return {
        factor: dict(zip(map(str, group), signs, strict=True))
        for factor, group in zip(FACTORS, chosen, strict=True)
    }


def _features(
    layer: str,
    n: int,
    genes: list[str],
    effects: Mapping[str, Mapping[str, float]],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """List a layer's features with the factor (``role``) and effect of each; no role: noise."""
    copies = PROBES_PER_GENE if layer == "methylation" else 1
    each = min(MOST_PLANTED, n // 5) // copies
    role = {gene: factor for factor in SEEN_IN[layer] for gene in list(effects[factor])[:each]}
    others = [gene for gene in genes if gene not in role]
    measured = sorted([*role, *others[: n // copies - len(role)]])
    # Methylation silences: where a gene rises with a factor, its probes fall.
    turn = -1.0 if layer == "methylation" else 1.0
    rows = []
    for gene in measured:
        for copy in range(copies):
            sign = effects[role[gene]][gene] if gene in role else 0.0
            effect = turn * sign * rng.uniform(*LOADING)
            name = f"{gene}_cg{copy + 1}" if layer == "methylation" else gene
            rows.append((layer, name, round(effect, 3), role.get(gene, "")))
    return pd.DataFrame(rows, columns=["layer", "feature", "effect", "role"])


def _layer(
    layer: str,
    features: pd.DataFrame,
    factors: pd.DataFrame,
    site: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw the values of a layer, features x samples, on the scale of its kind."""
    effect = features["effect"].to_numpy()
    signal = np.zeros((len(features), len(factors)))
    for name in FACTORS:
        rows = (features["role"] == name).to_numpy()
        signal[rows] = np.outer(effect[rows], factors[name])
    x = signal + np.sqrt(1 - effect**2)[:, None] * rng.normal(size=signal.shape)
    if layer != "methylation":
        shifted = rng.uniform(size=len(features)) < SITE_SHARE
        x += SITE_SHIFT * np.outer(shifted, site == "north")
    level, spread = rng.uniform(size=(2, len(features), 1))
    if layer == "methylation":
        values = 1 / (1 + np.exp(-(6 * (level - 0.5) + (0.4 + 0.4 * spread) * x)))
    elif layer == "rna":
        values = np.maximum(0, 3 + 7 * level + (0.5 + spread) * x)
    else:
        values = 2 * (level - 0.5) + (0.4 + 0.8 * spread) * x
        values[rng.uniform(size=x.shape) < MISSING_PROTEIN_SHARE] = np.nan
    index = pd.Index(features["feature"], name="feature_id")
    return pd.DataFrame(np.round(values, 3), index=index, columns=factors.index)


def _gene_sets(
    genes: list[str], effects: Mapping[str, Mapping[str, float]], rng: np.random.Generator
) -> pd.DataFrame:
    """Draw a set for each factor of the genes that rise with it, and sets of genes that do not."""
    rest = [gene for gene in genes if not any(gene in effects[f] for f in ("growth", "immune"))]
    sets = {}
    for factor in ("growth", "immune"):
        rising = [gene for gene, effect in effects[factor].items() if effect > 0]
        others = rng.choice(rest, len(rising) // 3, replace=False)
        sets[f"DEMO_{factor.upper()}_UP"] = [*rising, *others]
    for i in range(RANDOM_SETS):
        size = min(int(rng.integers(*SET_SIZES, endpoint=True)), len(genes) // 3)
        sets[f"DEMO_RANDOM_{i + 1:02d}"] = list(rng.choice(rest, size, replace=False))
    rows = [(term, str(gene)) for term, members in sets.items() for gene in sorted(members)]
    return pd.DataFrame(rows, columns=["term", "gene"])


def _as_tsv(table: pd.DataFrame, index: bool) -> str:
    return table.to_csv(sep="\t", index=index, na_rep="NA", lineterminator="\n")


def _write(path: Path, text: str) -> None:
    """Write text, gzipped where the name says so, without a time stamp in it."""
    data = text.encode()
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where to write the cohort: python assets/demo/simulate.py assets/demo")
    write(simulate(), sys.argv[1])
