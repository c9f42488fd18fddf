"""Write the tables of docs/preprocessing.md from the catalogue: python tools/methods_page.py"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "preprocessing.md"
BEGIN, END = "<!-- methods: begin -->", "<!-- methods: end -->"


def page_with_methods(page: str) -> str:
    """Return the page with the tables between the two marks made anew."""
    sys.path.insert(0, str(ROOT / "bin"))
    from omicsfusion.recipes.catalogue import STEPS, Method, read_catalogue

    catalogue = read_catalogue()

    def row(method: Method) -> str:
        options = [f"`{name}` ({_shown(rule)})" for name, rule in method.options.items()]
        if method.table:
            need = "required" if method.table.required else "optional"
            options.append(f"`file` ({method.table.reads}, {need})")
        suits = "all" if len(method.kinds) == len(catalogue.defaults) else ", ".join(method.kinds)
        if set(catalogue.defaults) - set(method.kinds) == {"clinical"}:
            suits = "all omics"
        return f"| `{method.name}` | {method.says} | {'; '.join(options) or ''} | {suits} |"

    blocks = []
    for step in STEPS:
        rows = [row(method) for _, method in sorted(catalogue.methods[step].items())]
        head = "| method | what it does | options (default) | kinds |\n|---|---|---|---|"
        blocks.append("\n".join([f"### {step}", "", head, *rows]))
    kinds = [
        f"| {kind} | " + " | ".join(_default(steps.get(step)) for step in STEPS) + " |"
        for kind, steps in catalogue.defaults.items()
    ]
    head = "| kind | " + " | ".join(STEPS) + " |\n|" + "---|" * (len(STEPS) + 1)
    table = "\n".join(["### What each kind uses", "", head, *kinds])
    start, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return start + BEGIN + "\n\n" + "\n\n".join([table, *blocks]) + "\n\n" + END + after


def _shown(rule: Any) -> str:
    choices = f" of {', '.join(rule.choices)}" if rule.choices else ""
    return f"{json.dumps(rule.default)}{choices}: {rule.says}"


def _default(choice: tuple[str, Any] | None) -> str:
    if choice is None:
        return ""
    name, options = choice
    told = ", ".join(f"{key} {value}" for key, value in options.items())
    return f"{name} ({told})" if told else name


if __name__ == "__main__":
    PAGE.write_text(page_with_methods(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
