"""Keras archives with the same bytes for the same network, whenever they are written."""

import io
import json
import tempfile
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

from omicsfusion.models.backend import keras
from omicsfusion.models.ensemble import MemberEnsemble
from omicsfusion.models.network_modules import NETWORKS

SUFFIX = ".keras"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can name."""


def save_archive(model: MemberEnsemble, stem: Path) -> None:
    """Write ``<stem>.keras``, whole or not at all.

    Keras notes the time of writing, and the memory addresses of shared objects; both are left out.
    """
    path = stem.with_name(stem.name + SUFFIX)
    partial = path.with_name(path.name + ".partial")
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / f"model{SUFFIX}"
        model.save(written)
        partial.write_bytes(_reproducible(written))
    partial.replace(path)


def read_archive(path: Path) -> MemberEnsemble:
    """Read what :func:`save_archive` wrote."""
    # The classes register themselves when their file is imported.
    for module in NETWORKS.values():
        import_module(module)
    return keras.saving.load_model(path, compile=False)


def _reproducible(path: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for name in sorted(old.namelist()):
            content = old.read(name)
            if name == "metadata.json":
                facts = {k: v for k, v in json.loads(content).items() if k != "date_saved"}
                content = json.dumps(facts, sort_keys=True).encode()
            if name == "config.json":
                content = json.dumps(_without_addresses(json.loads(content))).encode()
            new.writestr(zipfile.ZipInfo(name, LONG_AGO), content)
    return out.getvalue()


def _without_addresses(node: Any) -> Any:
    """Leave out which objects of a configuration were one in memory: only data types ever are."""
    if isinstance(node, list):
        return [_without_addresses(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_addresses(value) for key, value in node.items() if key != "shared_object_id"
    }
