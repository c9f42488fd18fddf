"""What CHECK_INPUT and IMPORT make of a case, called as their scripts call them."""

from dataclasses import dataclass
from pathlib import Path

from omicsfusion.tables.checking import Checked, check
from omicsfusion.tables.findings import Request
from omicsfusion.tables.importing import ImportRequest, import_layer
from omicsfusion.tables.problems import Problem, Problems
from omicsfusion.tables.samplesheet import read_samplesheet
from omicsfusion.tables.tsv import write_tsv
from tests.malformed.cases import CASES, DEFAULTS, write_case


@dataclass
class Result:
    """What came out.

    Attributes
    ----------
    checked
        Of CHECK_INPUT.
    problems
        Of CHECK_INPUT and of IMPORT of every layer.
    layers
        ``cohort.layer`` -> file.
    """

    checked: Checked
    problems: list[Problem]
    layers: dict[str, Path]

    def texts(self, severity: str) -> list[str]:
        """Texts of all problems of a severity."""
        return [str(problem) for problem in self.problems if problem.severity == severity]


def run_case(name: str, folder: Path) -> Result:
    """Write a case, check it, and import every layer whose reading is settled."""
    sheet, samples = write_case(name, folder)
    return run(Request(sheet=sheet, samples=samples, **{**DEFAULTS, **CASES[name].options}), folder)


def run(request: Request, folder: Path) -> Result:
    """Check inputs, and import every layer whose reading is settled."""
    checked = check(request)
    problems = list(checked.problems.found)
    layers = {}
    paths = {row.file: row.path for row in read_samplesheet(request.sheet, Problems())[0]}
    for row in checked.layers.itertuples():
        if row.sources == "covariates":
            write_tsv(checked.covariates, folder / "covariates.tsv")
            files = (folder / "covariates.tsv",)
        else:
            files = tuple(paths[file] for file in row.sources.split(";"))
        out = folder / f"{row.cohort}.{row.layer}.h5ad"
        samples = tuple(name for name in row.samples.split(";") if name)
        imported = ImportRequest(row.layer, row.kind, row.cohort, row.rows, files, samples)
        problems += import_layer(imported, out).found
        layers[f"{row.cohort}.{row.layer}"] = out
    return Result(checked, problems, layers)
