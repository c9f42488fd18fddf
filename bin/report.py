#!/usr/bin/env python3
"""Write the report: one HTML page from the published tables of a run."""

import argparse
import sys
from pathlib import Path

from omicsfusion.report.page import render_report
from omicsfusion.report.results import ResultsError, read_results


def main() -> None:
    """Read the results and write omicsfusion_report.html into the working directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of published tables")
    arguments = parser.parse_args()
    try:
        page = render_report(read_results(arguments.results))
    except ResultsError as problem:
        sys.exit(str(problem))
    partial = Path("omicsfusion_report.html.partial")
    partial.write_text(page, encoding="utf-8")
    partial.replace("omicsfusion_report.html")


if __name__ == "__main__":
    main()
