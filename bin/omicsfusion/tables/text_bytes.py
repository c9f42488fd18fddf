"""A text file's bytes: compression, encoding, line ends; content that is no text."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, TextIO, cast

from omicsfusion.tables.unreadable import UnreadableTableError

SNIFFED_BYTES = 65_536
# So many bytes are read at a time.
BUFFER = 1 << 20

_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_FOREIGN = {
    b"PK\x03\x04": "an Excel workbook (.xlsx) or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"%PDF": "a PDF document",
}


def open_text(path: str | Path, encoding: str) -> TextIO:
    r"""Open a text file, gzipped or not (its content decides), with all line ends as ``\\n``."""
    return TextIOWrapper(_open_bytes(Path(path)), encoding=encoding, newline=None)


@contextmanager
def byte_lines(path: str | Path, encoding: str) -> Iterator[Iterator[bytes]]:
    r"""Walk the lines of a text file as bytes without their ends (``\\n``, ``\\r\\n``, ``\\r``).

    The bytes are the file's own, without a byte order mark; those of UTF-16 are turned into UTF-8.
    """
    path = Path(path)
    if _needs_decoding(path, encoding):
        with open_text(path, encoding) as lines:
            yield (line.rstrip("\n").encode(encoding_of_lines(encoding)) for line in lines)
        return
    with _open_bytes(path) as raw:
        if encoding == "utf-8-sig":
            raw.read(len(b"\xef\xbb\xbf"))
        yield _plain_lines(raw)


def byte_chunks(path: str | Path, encoding: str, skip: int, size: int) -> Iterator[bytes]:
    """Yield about so many bytes at a time, whole lines, as :func:`byte_lines` would join them.

    Parameters
    ----------
    skip
        Lines to leave out at the beginning.
    size
        Bytes in a chunk, at least; a chunk ends with a line.
    """
    path = Path(path)
    if _needs_decoding(path, encoding):
        with byte_lines(path, encoding) as lines:
            rest = islice(lines, skip, None)
            while some := list(islice(rest, max(1, size // SNIFFED_BYTES))):
                yield b"\n".join(some) + b"\n"
        return
    with _open_bytes(path) as raw:
        for _ in range(skip):
            raw.readline()
        while chunk := raw.read(size):
            yield chunk if chunk.endswith(b"\n") else b"".join((chunk, raw.readline()))


def _needs_decoding(path: Path, encoding: str) -> bool:
    """Whether lines do not end with a newline's own byte."""
    with _open_bytes(path) as raw:
        start = raw.read(SNIFFED_BYTES)
    alone = start.replace(b"\r\n", b"").rstrip(b"\r")
    return encoding == "utf-16" or b"\r" in alone


def _plain_lines(raw: IO[bytes]) -> Iterator[bytes]:
    for line in raw:
        if b"\r" in line:
            yield from line.splitlines()
        else:
            yield line.removesuffix(b"\n")


def encoding_of_lines(encoding: str) -> str:
    """Return the encoding of what :func:`byte_lines` yields."""
    return "cp1252" if encoding == "cp1252" else "utf-8"


def _open_bytes(path: Path) -> IO[bytes]:
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path, "rb")) if compressed else path.open("rb", BUFFER)


def encodings(path: Path) -> list[str]:
    """List the encodings to try; complain about content that is no text."""
    try:
        with _open_bytes(path) as raw:
            start = raw.read(SNIFFED_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableTableError(
            f"The gzipped file is damaged or was cut off ({error}).",
            "Copy or download it again; 'gzip -t' tests it.",
        ) from error
    if not start.strip():
        raise UnreadableTableError("The file is empty.", "Was it copied or exported completely?")
    for bom, encoding in _BOMS.items():
        if start.startswith(bom):
            return [encoding]
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise UnreadableTableError(
                f"The file is {what}, not a text table.",
                "Save it as tab-separated text (.tsv), plain or compressed with gzip.",
            )
    if b"\0" in start:
        raise UnreadableTableError(
            "The file is not text: it holds binary data.",
            "Give a text table (TSV, CSV, plain or gzipped), Parquet or AnnData .h5ad.",
        )
    return ["utf-8", "cp1252"]
