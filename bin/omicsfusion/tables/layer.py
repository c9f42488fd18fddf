"""A layer on disk between processes: an AnnData ``.h5ad`` that h5py reads without loading it.

``X`` is samples x features, float32, contiguous and uncompressed, so that a random minibatch of
rows reads in milliseconds. Samples are sorted by id; NaN is a missing value; a sample that lacks
the layer has no row.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np


@dataclass(frozen=True)
class LayerHeader:
    """What a layer is, without its values.

    Attributes
    ----------
    layer, kind, cohort
        As in the samplesheet.
    samples, features
        Ids, in the order of rows and columns of ``X``.
    types
        For kind ``clinical``: ``numeric`` or ``categorical`` of each feature; else empty.
    categories
        For each categorical feature its levels; ``X`` holds their positions.
    """

    layer: str
    kind: str
    cohort: str
    samples: tuple[str, ...]
    features: tuple[str, ...]
    types: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@contextmanager
def new_layer(path: str | Path, header: LayerHeader) -> Iterator[h5py.Dataset]:
    """Create a layer file and hand out its ``X`` to be filled block by block.

    The file appears under its name only when the block ends without an error.
    """
    path = Path(path)
    partial = path.with_name(path.name + ".partial")
    with h5py.File(h5py.h5f.create(bytes(partial), h5py.h5f.ACC_TRUNC, fapl=_access())) as file:
        _mark(file, "anndata", "0.1.0")
        x = file.create_dataset("X", (len(header.samples), len(header.features)), dtype="f4")
        _mark(x, "array", "0.2.0")
        _write_frame(file.create_group("obs"), header.samples, {})
        types = {"type": header.types} if header.types else {}
        _write_frame(file.create_group("var"), header.features, types)
        uns = _mark(file.create_group("uns"), "dict", "0.1.0")
        for name in ("layer", "kind", "cohort"):
            _write_text(uns, name, getattr(header, name))
        categories = _mark(uns.create_group("categories"), "dict", "0.1.0")
        for feature, levels in sorted(header.categories.items()):
            _write_strings(categories, feature.replace("/", "\u2215"), levels)
        for name in ("layers", "obsm", "obsp", "varm", "varp"):
            _mark(file.create_group(name), "dict", "0.1.0")
        yield x
    partial.replace(path)


def read_header(path: str | Path) -> LayerHeader:
    """Read ids and description of a layer, not its values."""
    with h5py.File(path) as file:
        uns = file["uns"]
        categories = {
            name.replace("\u2215", "/"): tuple(levels.asstr()[:])
            for name, levels in uns["categories"].items()
        }
        return LayerHeader(
            layer=uns["layer"].asstr()[()],
            kind=uns["kind"].asstr()[()],
            cohort=uns["cohort"].asstr()[()],
            samples=tuple(file["obs/_index"].asstr()[:]),
            features=tuple(file["var/_index"].asstr()[:]),
            types=tuple(file["var/type"].asstr()[:]) if "type" in file["var"] else (),
            categories=categories,
        )


def read_rows(path: str | Path, rows: Sequence[int] | np.ndarray) -> np.ndarray:
    """Read some samples of a layer.

    Returns
    -------
    float32 array, len(rows) x features, in the order of ``rows``.
    """
    wanted = np.asarray(rows, dtype=np.int64)
    order, positions = np.unique(wanted, return_inverse=True)
    with h5py.File(path) as file:
        return file["X"][order][positions] if len(order) else file["X"][:0]


def read_columns(
    path: str | Path, start: int, stop: int, rows: Sequence[int] | np.ndarray | None = None
) -> np.ndarray:
    """Read a block of neighbouring features of a layer, without reading the others.

    Parameters
    ----------
    start, stop
        First column of the block, and the first after it.
    rows
        Which samples (default: all), in any order.

    Returns
    -------
    float32 array, samples x (stop - start), in the order of ``rows``.
    """
    with h5py.File(h5py.h5f.open(bytes(Path(path)), h5py.h5f.ACC_RDONLY, fapl=_access())) as file:
        x = file["X"]
        if rows is None:
            return x[:, start:stop]
        order, positions = np.unique(np.asarray(rows, dtype=np.int64), return_inverse=True)
        return x[order, start:stop][positions] if len(order) else x[:0, start:stop]


def _access() -> h5py.h5p.PropFAID:
    """Access to blocks of columns, that is to short pieces of rows, as they are.

    By default HDF5 reads and writes 64 KB around each piece: three times as slow for 8 KB.
    """
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_sieve_buf_size(4096)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    return access


def _mark(node: h5py.HLObject, kind: str, version: str) -> h5py.HLObject:
    node.attrs["encoding-type"] = kind
    node.attrs["encoding-version"] = version
    return node


def _write_text(group: h5py.Group, name: str, text: str) -> None:
    node = group.create_dataset(name, data=text, dtype=h5py.string_dtype())
    _mark(node, "string", "0.2.0")


def _write_strings(group: h5py.Group, name: str, texts: Sequence[str]) -> None:
    data = np.asarray(texts, dtype=object)
    _mark(group.create_dataset(name, data=data, dtype=h5py.string_dtype()), "string-array", "0.2.0")


def _write_frame(
    group: h5py.Group, index: Sequence[str], columns: Mapping[str, Sequence[str]]
) -> None:
    _mark(group, "dataframe", "0.2.0")
    group.attrs["_index"] = "_index"
    group.attrs["column-order"] = np.asarray(list(columns), dtype=h5py.string_dtype())
    _write_strings(group, "_index", index)
    for name, values in columns.items():
        _write_strings(group, name, values)
