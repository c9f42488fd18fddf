"""Starts the real Nextflow on small cohorts, for the tests that need a whole run."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEXTFLOW = ROOT / ".tools" / "bin" / "nextflow"
LIMIT_SECONDS = 900  # nothing here takes a third of it, even on a busy machine


@dataclass(frozen=True)
class Run:
    """A finished run: exit code, what it printed, where it wrote."""

    code: int
    text: str
    outdir: Path

    @property
    def submitted(self) -> list[str]:
        """Names of the processes that were run, one entry a task; cached ones are left out."""
        return re.findall(r"Submitted process > (?:\w+:)*(\w+)", self.text)

    @property
    def cached(self) -> list[str]:
        """Names of the processes that were taken from the cache, one entry a task."""
        return re.findall(r"Cached process > (?:\w+:)*(\w+)", self.text)


def command(project: Path, folder: Path, *arguments: object) -> list[str]:
    """Return the command line of a run with its work directory and results in ``folder``."""
    return [
        str(NEXTFLOW),
        "-log",
        str(folder / "nextflow.log"),
        "run",
        str(project),
        "-ansi-log",
        "false",
        "-w",
        str(folder / "work"),
        "--outdir",
        str(folder / "results"),
        *map(str, arguments),
    ]


def environment(parser: str = "v1") -> dict[str, str]:
    """Return the environment of a run: no network, one of the two parsers."""
    return {**os.environ, "NXF_OFFLINE": "true", "NXF_SYNTAX_PARSER": parser}


def run(folder: Path, *arguments: object, project: Path = ROOT, parser: str = "v1") -> Run:
    """Run the pipeline to its end.

    Parameters
    ----------
    folder
        Launch directory, and parent of work directory and results.
    arguments
        Further arguments of ``nextflow run``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command(project, folder, *arguments),
        cwd=folder,
        env=environment(parser),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    return Run(done.returncode, done.stdout, folder / "results")


def run_until_killed(folder: Path, process: str, *arguments: object, project: Path = ROOT) -> None:
    """Start a run and kill it, and every task it started, while ``process`` is at work.

    SIGKILL leaves nobody the time to tidy up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "killed.txt"
    with log.open("w") as out:
        started = subprocess.Popen(
            command(project, folder, *arguments),
            cwd=folder,
            env=environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        wait_for(lambda: process_at_work(folder / "work", process), started)
        _kill_tree(started.pid)
        started.wait()


def wait_for(condition, started: subprocess.Popen) -> None:
    """Wait until a condition holds; give up when the run ended before."""
    end = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if started.poll() is not None:
            raise AssertionError("the run ended before it could be killed")
        if time.monotonic() > end:
            _kill_tree(started.pid)
            raise AssertionError("the run never reached the process that was to be killed")
        time.sleep(0.2)


def process_at_work(work: Path, process: str) -> bool:
    """Tell whether a task of ``process`` has begun and not yet ended."""
    return any(
        (script.parent / ".command.begin").exists() and not (script.parent / ".exitcode").exists()
        for script in work.glob("*/*/.command.run")
        if f"NEXTFLOW TASK: {process}" in script.read_text()
        or f":{process} (" in script.read_text()
    )


def _kill_tree(pid: int) -> None:
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True, check=False
    ).stdout.split()
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    for child in children:
        _kill_tree(int(child))


def tables_of(outdir: Path) -> dict[str, bytes]:
    """Return the bytes of every table of a finished run, by its path below the results."""
    names = (p for p in outdir.rglob("*.tsv") if p.name != "software_versions.tsv")
    return {str(path.relative_to(outdir)): path.read_bytes() for path in sorted(names)}


def copy_of_project(folder: Path) -> Path:
    """Copy what a run needs of the project, so that a test may edit its code."""
    for name in ("main.nf", "nextflow.config", "nextflow_schema.json"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    for name in ("conf", "modules", "subworkflows", "bin", "assets"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".tools").symlink_to(ROOT / ".tools")
    return folder


def demo_simulation():
    """Import assets/demo/simulate.py, which is a script and in no package."""
    path = ROOT / "assets" / "demo" / "simulate.py"
    spec = importlib.util.spec_from_file_location("simulate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
