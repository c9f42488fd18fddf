"""A sound cohort of twelve samples and three layers; each malformed case breaks one thing in it."""

from dataclasses import dataclass, field
from pathlib import Path

N_SAMPLES = 12
LAYERS = {"rna": ("rna_log", 20), "protein": ("protein", 10), "mutation": ("mutation", 6)}
SAMPLES = [f"S{index:02d}" for index in range(1, N_SAMPLES + 1)]
RNA_SAMPLE = "S03"

Rows = list[list[str]]


def value(layer: str, feature: int, sample: int) -> float:
    """The number in a cell: different in every cell, 0 or 1 for mutations."""
    if layer == "mutation":
        return float((feature + sample) % 3 == 0)
    return (feature * 37 + sample * 11) % 101 / 8 + feature / 16


def feature_ids(layer: str) -> list[str]:
    """Ids of a layer's features."""
    return [f"{layer.upper()}{index:03d}" for index in range(1, LAYERS[layer][1] + 1)]


def table(layer: str) -> Rows:
    """A layer's table: rows are features."""
    body = [
        [feature, *(f"{value(layer, row, column):g}" for column in range(N_SAMPLES))]
        for row, feature in enumerate(feature_ids(layer))
    ]
    return [["feature", *SAMPLES], *body]


def sample_rows() -> Rows:
    """samples.tsv: three outcomes, two covariates, a batch and a split column."""
    header = [
        "sample",
        "patient",
        "subtype",
        "os_time",
        "os_event",
        "score",
        "age",
        "sex",
        "site",
        "part",
    ]
    body = [
        [
            sample,
            f"P{index + 1:02d}",
            "AB"[index % 2],
            str(100 + 50 * index),
            str(index % 3 % 2),
            f"{index * 1.5 - 3:g}",
            str(40 + 3 * index),
            ["f", "m", "m"][index % 3],
            f"site{index % 2}",
            "train" if index < 8 else "test",
        ]
        for index, sample in enumerate(SAMPLES)
    ]
    return [header, *body]


@dataclass
class Cohort:
    """Everything that will be written, ready to be broken.

    Attributes
    ----------
    tables
        File name -> cells; written as TSV.
    samples, sheet
        Cells of samples.tsv and of the samplesheet (written as CSV).
    raw
        File name -> bytes, written instead of the cells.
    """

    tables: dict[str, Rows] = field(
        default_factory=lambda: {f"{layer}.tsv": table(layer) for layer in LAYERS}
    )
    samples: Rows = field(default_factory=sample_rows)
    sheet: Rows = field(
        default_factory=lambda: [
            ["layer", "kind", "file"],
            *([layer, kind, f"{layer}.tsv"] for layer, (kind, _) in LAYERS.items()),
        ]
    )
    raw: dict[str, bytes] = field(default_factory=dict)

    @property
    def rna(self) -> Rows:
        """The cells of rna.tsv."""
        return self.tables["rna.tsv"]

    def text(self, name: str, delimiter: str = "\t") -> str:
        """A file as it would be written."""
        rows = self.samples if name == "samples.tsv" else self.tables[name]
        return "".join(delimiter.join(row) + "\n" for row in rows)

    def set_sample(self, column: str, new: dict[str, str]) -> None:
        """Change cells of samples.tsv: sample -> text."""
        at = self.samples[0].index(column)
        for row in self.samples[1:]:
            row[at] = new.get(row[0], row[at])

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write all files; return the paths of samplesheet and samples.tsv."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.tables:
            (folder / name).write_text(self.text(name), encoding="utf-8")
        (folder / "samples.tsv").write_text(self.text("samples.tsv"), encoding="utf-8")
        lines = "".join(",".join(row) + "\n" for row in self.sheet)
        (folder / "samplesheet.csv").write_text(lines, encoding="utf-8")
        for name, content in self.raw.items():
            (folder / name).write_bytes(content)
        return folder / "samplesheet.csv", folder / "samples.tsv"
