"""Keras archives with the same bytes for the same network, whenever they are written."""

import io
import json
import tempfile
import zipfile
from pathlib import Path

from omicsfusion.models.backend import keras
from omicsfusion.models.ensemble import MemberEnsemble

SUFFIX = ".keras"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can name."""


def save_archive(model: MemberEnsemble, stem: Path) -> None:
    """Write ``<stem>.keras``, whole or not at all.

    Keras notes the time of writing in the archive and in its metadata; both are left out.
    """
    path = stem.with_name(stem.name + SUFFIX)
    partial = path.with_name(path.name + ".partial")
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / f"model{SUFFIX}"
        model.save(written)
        partial.write_bytes(_without_times(written))
    partial.replace(path)


def read_archive(path: Path) -> MemberEnsemble:
    """Read what :func:`save_archive` wrote."""
    # The classes register themselves when their file is imported.
    import omicsfusion.models.fused  # noqa: F401

    return keras.saving.load_model(path, compile=False)


def _without_times(path: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for name in sorted(old.namelist()):
            content = old.read(name)
            if name == "metadata.json":
                facts = {k: v for k, v in json.loads(content).items() if k != "date_saved"}
                content = json.dumps(facts, sort_keys=True).encode()
            new.writestr(zipfile.ZipInfo(name, LONG_AGO), content)
    return out.getvalue()
