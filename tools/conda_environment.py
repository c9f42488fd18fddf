"""Prints conda/environment.yml for the lock that is named as the argument."""

import re
import sys
from pathlib import Path

HEAD = """\
# Made by `make lock` from requirements.lock; do not edit.
# conda brings Python, and pip brings exactly the wheels that the tests ran with: conda-forge names
# some packages otherwise (tensorflow-cpu) and has others at other versions, so a list of its names
# would be another environment. Hashes cannot stand here; requirements.lock has them.
name: omicsfusion
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def locked_packages(lock: str) -> list[str]:
    """Return `name==version` of each entry, with the platforms it is for where not for all."""
    entries = re.findall(r"^([A-Za-z0-9._-]+==[^\\\n]*?)\s*\\?$", lock, flags=re.MULTILINE)
    return [" ".join(entry.split()) for entry in entries]


if __name__ == "__main__":
    packages = locked_packages(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(HEAD + "\n".join(f'      - "{package}"' for package in packages))
