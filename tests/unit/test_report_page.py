"""The page from a folder of results: what it says and leaves out, that it is whole and safe."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from omicsfusion.report.chapters.answer import answer_chapter
from omicsfusion.report.chapters.cohort import cohort_line
from omicsfusion.report.page import CHAPTERS, render_report
from omicsfusion.report.results import ResultsError, read_results
from omicsfusion.tables.outcome import TASKS
from omicsfusion.tables.problems import Problems
from tests.results_folder import edit_table, write_results

SCRIPT = Path(__file__).parents[2] / "bin" / "report.py"
WILD_CLASSES = ('<script>alert("class")</script>', "A & B's", "Luminal Ä-β")
WILD_FEATURES = ("<img src=x onerror=alert(1)>", "x" * 300, 'chr1:1-2|"geneΩ"&amp;')
VOID = {"meta", "wbr", "line", "br", "img", "link", "input", "hr"}


class Outline(HTMLParser):
    """Checks that every element is closed in order, and gathers what tests ask about."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    def ids(self):
        return [attrs["id"] for _, attrs in self.elements if "id" in attrs]


def figures_of(page):
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page)
    return json.loads(found.group(1))


def drawings_of(figure):
    """What the page's script makes of a figure: each view, its points taken from the columns."""
    for view in figure["views"].values() if "views" in figure else [figure]:
        traces = []
        for trace in view["data"]:
            own = {name: value for name, value in trace.items() if name != "from"}
            taken = trace.get("from", {})
            for name in {"x", "y", "text"} & set(taken):
                column = figure["columns"][taken[name]]
                own[name] = [column[row] for row in figure["columns"][taken["rows"]]]
            traces.append(own)
        yield {"data": traces, "layout": view["layout"]}


def text_of(page):
    return re.sub(r"\s+", " ", "".join(Outline(page).text))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder for each task; tests copy one before they change it."""
    root = tmp_path_factory.mktemp("results")
    return {task: write_results(root / task, task) for task in TASKS}


@pytest.fixture
def copied(folders, tmp_path):
    return lambda task: Path(shutil.copytree(folders[task], tmp_path / "results"))


@pytest.fixture(scope="module")
def wild_page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wild")
    problems = Problems()
    problems.warn("<b>bold</b> & odd", file="a<b>.tsv")
    write_results(
        folder,
        "classification",
        class_names=WILD_CLASSES,
        feature_names=WILD_FEATURES,
        left_out=[("<i>S</i>", "no <outcome>")],
        problems=problems,
    )
    return render_report(read_results(folder))


@pytest.mark.parametrize("task", TASKS)
def test_the_page_is_well_formed_and_its_ids_are_unique(folders, task):
    outline = Outline(render_report(read_results(folders[task])))
    assert outline.open == []
    assert len(outline.ids()) == len(set(outline.ids()))


@pytest.mark.parametrize("task", TASKS)
def test_headings_descend_without_gaps(folders, task):
    outline = Outline(render_report(read_results(folders[task])))
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("task", TASKS)
def test_every_figure_has_a_place_words_and_valid_traces(folders, task):
    import plotly.graph_objects as go

    page = render_report(read_results(folders[task]))
    places = {a.get("id"): a for _, a in Outline(page).elements if a.get("class") == "plot"}
    figures = figures_of(page)
    assert set(places) == set(figures)
    assert {"headline", "folds", "training-fused"} <= set(figures)
    for key, figure in figures.items():
        for drawn in drawings_of(figure):
            go.Figure(drawn)  # raises on what plotly does not know
        assert places[key]["role"] == "img"
        assert len(places[key]["aria-label"]) > 20


@pytest.mark.parametrize("task", TASKS)
def test_the_page_asks_for_nothing_outside_itself(folders, task):
    page = render_report(read_results(folders[task]))
    outline = Outline(page)
    assert not {tag for tag, _ in outline.elements} & {"link", "img", "iframe", "object", "source"}
    assert all("src" not in attrs for _, attrs in outline.elements)
    links = [attrs["href"] for _, attrs in outline.elements if "href" in attrs]
    assert all(link.startswith("#") for link in links)
    style = re.search(r"<style>(.*?)</style>", page, re.S).group(1)
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in page


@pytest.mark.parametrize("task", TASKS)
def test_the_same_results_give_the_same_bytes_wherever_they_lie(folders, tmp_path, task):
    moved = shutil.copytree(folders[task], tmp_path / "elsewhere")
    first, second = (render_report(read_results(f)) for f in (folders[task], Path(moved)))
    assert first == second
    assert str(folders[task]) not in first


def test_private_paths_of_the_parameters_stay_out(folders):
    page = render_report(read_results(folders["survival"]))
    assert "/somewhere/private" not in page
    assert "demo.gmt" in page


def test_the_order_of_rows_in_the_tables_does_not_matter(copied):
    folder = copied("classification")
    before = render_report(read_results(folder))
    for name in ("input/samples", "input/layers", "splits/splits", "explain/fused.importance"):
        edit_table(folder / f"{name}.tsv", lambda table: table.iloc[::-1])
    assert render_report(read_results(folder)) == before


def test_names_with_markup_are_shown_as_text(wild_page):
    outline = Outline(wild_page)
    text = "".join(outline.text)
    titles = {attrs.get("title") for _, attrs in outline.elements}
    assert all(name in text for name in WILD_CLASSES)
    assert all(name in titles for name in WILD_FEATURES), "in full, where the text is cut short"
    assert {name for name in WILD_FEATURES if len(name) < 40} <= set(outline.text)
    assert "<i>S</i>" in text
    assert "no <outcome>" in text
    assert "<b>bold</b> & odd" in text
    assert not {"img", "i", "b"} & {tag for tag, _ in outline.elements}
    assert [tag for tag, _ in outline.elements].count("script") == 3


def test_figures_hold_names_as_text(wild_page):
    drawn = [d for figure in figures_of(wild_page).values() for d in drawings_of(figure)]
    texts = re.findall(r"<\w+", json.dumps(drawn))
    assert set(texts) <= {"<extra"}, "markup that plotly would obey"


def test_the_second_sentence_names_the_number_its_interval_and_chance(folders):
    results = read_results(folders["survival"])
    row = results.metric("fused", "c_index")
    said = answer_chapter(results).content["second"]
    assert f"a C-index of {row['estimate']:.2f}" in said
    assert f"(95 % interval {row['ci_low']:.2f} to {row['ci_high']:.2f})" in said
    assert "Guessing would reach 0.50" in said


def set_metric(folder, model, metric, estimate, low, high):
    def change(table):
        here = (table["model"] == model) & (table["metric"] == metric) & (table["scope"] == "test")
        assert here.sum() == 1
        table.loc[here, ["estimate", "ci_low", "ci_high"]] = [str(estimate), str(low), str(high)]
        return table

    edit_table(folder / "assess/metrics.tsv", change)


def set_verdict(folder, change):
    path = folder / "assess/verdict.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    change(record)
    path.write_text(json.dumps(record), encoding="utf-8")


def test_the_page_begins_with_the_sentence_of_the_verdict(folders):
    for task in TASKS:
        results = read_results(folders[task])
        page = render_report(results)
        said = re.search(r'<p class="lead">(.*?)</p>', page, re.S).group(1)
        assert said.startswith("Deep fusion ")
        assert text_of(f"<p>{said}</p>") == results.verdict["sentence"]
        assert all(caveat in text_of(page) for caveat in results.verdict["caveats"])


@pytest.mark.parametrize(
    ("word", "short", "tone"),
    [
        ("helped", "Yes", "good"),
        ("harmed", "No: worse", "caution"),
        ("did not help", "No", "plain"),
        ("cannot tell", "Cannot be told", "caution"),
        ("no usable signal", "No usable signal", "caution"),
    ],
)
def test_each_verdict_has_its_answer_with_the_numbers(copied, word, short, tone):
    def change(record):
        (question,) = record["targets"][0]["questions"]
        question.update(verdict=word, reasons=[], score=0.812, score_against=0.771)
        question.update(difference=0.041, ci_low=0.018, ci_high=0.066, against="linear;forest")

    folder = copied("classification")
    set_verdict(folder, change)
    answer = answer_chapter(read_results(folder)).content["answers"][0]
    assert (answer.answer, answer.tone) == (short, tone)
    assert answer.reason == (
        "AUROC 0.81 against 0.77 for the best of linear model and random forest; "
        "difference 0.04 (90 % interval 0.02 to 0.07)."
    )


@pytest.mark.parametrize(
    ("high", "short"),
    [(0.04, "No more than a little"), (0.001, "No more than a little"), (0, "No")],
)
def test_omics_that_can_only_take_away_do_not_add_a_little(copied, high, short):
    def change(record):
        (question,) = record["targets"][0]["questions"]
        question.update(question="omics", verdict="did not help", ci_low=-0.17, ci_high=high)

    folder = copied("classification")
    set_verdict(folder, change)
    assert answer_chapter(read_results(folder)).content["answers"][2].answer == short


def test_a_question_that_was_not_asked_says_what_it_takes(folders):
    answers = answer_chapter(read_results(folders["survival"])).content["answers"]
    assert [answer.answer for answer in answers[1:3]] == ["Not compared"] * 2
    assert "linear-only-rna" in answers[1].reason
    assert "fused+clinical" in answers[2].reason


def test_differences_and_ranks_are_drawn_and_what_decides_is_told_from_what_does_not(folders):
    page = render_report(read_results(folders["regression"]))
    assert {"differences", "ranks"} <= set(figures_of(page))
    text = text_of(page)
    assert "Only the questions above were set beforehand" in text
    assert "no verdict rests on it" in text


def test_layers_and_external_samples_have_tables_where_there_is_something_to_say(tmp_path):
    write_results(tmp_path, "regression", external=8, models=("fused", "fused-minus-rna", "linear"))
    text = text_of(render_report(read_results(tmp_path)))
    assert "What the network loses without a layer" in text
    assert "The same questions on the external samples" in text


def test_a_run_from_before_verdicts_begins_with_what_was_reached(copied):
    folder = copied("survival")
    for name in ("comparison.tsv", "ranks.tsv", "verdict.json"):
        (folder / "assess" / name).unlink()
    results = read_results(folder)
    content = answer_chapter(results).content
    assert content["sentence"].startswith("The fused network reached a C-index")
    assert content["answers"][0].answer == "Not compared"
    page = render_report(results)
    assert 'id="comparison"' not in page
    assert 'href="#comparison"' not in page


def test_a_verdict_of_another_version_is_refused(copied):
    folder = copied("regression")
    set_verdict(folder, lambda record: record.update(schema_version=2))
    with pytest.raises(ResultsError, match="another version"):
        read_results(folder)


def test_an_interval_that_includes_chance_shows_nothing(copied):
    folder = copied("classification")
    set_metric(folder, "fused", "balanced_accuracy", 0.40, 0.30, 0.50)
    answer = answer_chapter(read_results(folder)).content["answers"][3]
    assert answer.answer == "Not shown"
    assert answer.tone == "caution"


def test_without_baselines_the_page_says_that_nothing_was_compared(tmp_path):
    write_results(tmp_path, "regression", models=("fused",))
    page = render_report(read_results(tmp_path))
    text = text_of(page)
    assert "Deep fusion was not compared: no shallow model" in text
    assert "Not compared" in text
    assert 'href="#comparison"' not in page


def test_without_a_network_the_page_is_about_the_first_model_there_is(tmp_path):
    write_results(tmp_path, "survival", models=("clinical", "linear"))
    text = text_of(render_report(read_results(tmp_path)))
    assert "The linear model reached a C-index" in text
    assert "No network was explained in this run" in text
    assert "No network was trained, so there are no training curves." in text


def test_failed_fits_left_out_samples_and_warnings_are_told(tmp_path):
    problems = Problems()
    problems.warn("3 cells are odd.", file="samples.tsv", column="age")
    left_out = [("S900", "time is not above 0"), ("S901", "time is not above 0")]
    write_results(tmp_path, "survival", failed_fits=2, left_out=left_out, problems=problems)
    results = read_results(tmp_path)
    assert answer_chapter(results).content["answers"][4].answer == "With remarks"
    text = text_of(render_report(results))
    assert "2 of 63 fits failed, 2 of 38 samples left out, 1 warning about the input." in text
    assert "the loss was not finite" in text
    assert "S900, S901" in text
    assert "samples.tsv, column 'age': 3 cells are odd." in text


def test_a_run_without_remarks_says_so(folders):
    answer = answer_chapter(read_results(folders["survival"])).content["answers"][4]
    assert (answer.answer, answer.tone) == ("Yes", "good")


def test_chapters_with_nothing_to_show_say_so(copied):
    folder = copied("classification")
    for name in ("explain", "enrich", "preprocess", "models", "pipeline_info", "qc"):
        shutil.rmtree(folder / name)
    for name in ("roc", "confusion"):
        (folder / f"assess/{name}.tsv").unlink()
    page = render_report(read_results(folder))
    text = text_of(page)
    assert "No network was explained" in text
    assert "no gene sets were given" in text
    assert "No counts of features were published." in text
    assert "No log of the training was published." in text
    assert "parameters were not recorded" in text
    assert "No external cohort" in text
    assert set(figures_of(page)) == {"headline", "folds", "differences", "ranks"}
    for chapter in ("quality", "batch", "guards"):
        assert f'id="{chapter}"' not in page


def test_tables_with_a_header_and_no_rows_are_nothing_to_show(copied):
    folder = copied("survival")
    kept = {"metrics.tsv", "metrics_by_fold.tsv"}
    for path in [*folder.glob("*/*.tsv")]:
        if path.parent.name in ("explain", "enrich", "models") or (
            path.parent.name == "assess" and path.name not in kept
        ):
            edit_table(path, lambda table: table.iloc[:0])
    assert "No risk groups could be formed." in text_of(render_report(read_results(folder)))


def test_external_samples_have_a_section_of_their_own(tmp_path):
    write_results(tmp_path, "classification", external=8)
    results = read_results(tmp_path)
    page = render_report(results)
    assert "external" in figures_of(page)
    assert "8 external samples" in cohort_line(results)
    assert "All metrics on the external samples" in text_of(page)


def test_the_cohort_line_counts_omics_layers_and_folds(folders):
    line = cohort_line(read_results(folders["classification"]))
    assert line == [
        "36 patients",
        "36 samples",
        "2 omics layers",
        "classification of outcome",
        "3 folds × 2 repeats",
    ]


def test_patterns_of_layers_are_counted(folders):
    text = text_of(render_report(read_results(folders["regression"])))
    assert re.search(r"yes yes yes 28 ?78 %", text), "samples with all three layers"


def test_log_rank_is_called_descriptive_and_the_cut_is_explained(folders):
    text = text_of(render_report(read_results(folders["survival"])))
    assert "Log-rank, descriptive" in text
    assert "the cut of a fold is the median of the risks that its training patients got" in text


def test_intervals_are_said_to_leave_out_retraining(folders):
    for task in TASKS:
        text = text_of(render_report(read_results(folders[task])))
        assert "It does not include what retraining the models on other patients" in text


def test_of_permuted_outcomes_neither_folds_nor_predictions_are_shown(copied):
    import pandas as pd

    folder = copied("regression")
    before = render_report(read_results(folder))
    for name in ("assess/metrics_by_fold", "predictions/predictions"):
        edit_table(
            folder / f"{name}.tsv",
            lambda table: pd.concat([table.assign(permutation="1", model="fused"), table]),
        )
    assert render_report(read_results(folder)) == before


def test_very_many_classes_do_not_make_the_page_huge(copied):
    import pandas as pd

    folder = copied("classification")
    many = [f"class {i:03d}" for i in range(120)]

    def wide(table):
        more = pd.DataFrame("0.0", index=table.index, columns=[f"p_{n}" for n in many])
        return pd.concat([table, more], axis=1)

    def square(table):
        cells = [("fused", a, b, "1") for a in many for b in many]
        return pd.concat([table, pd.DataFrame(cells, columns=table.columns)])

    def curves(table):
        more = [("fused", n, str(x / 100), str(x / 100)) for n in many for x in range(101)]
        return pd.concat([table, pd.DataFrame(more, columns=table.columns)])

    small = len(render_report(read_results(folder)))
    edit_table(folder / "predictions/predictions.tsv", wide)
    edit_table(folder / "assess/confusion.tsv", square)
    edit_table(folder / "assess/roc.tsv", curves)
    page = render_report(read_results(folder))
    assert len(page) < small + 300_000
    assert "rarer classes not shown" in text_of(page)


def test_every_chapter_has_a_template_and_a_link(folders):
    results = read_results(folders["survival"])
    page = render_report(results)
    for chapter in CHAPTERS:
        made = chapter(results)
        assert f'<a href="#{made.key}">' in page
        assert f'<section id="{made.key}"' in page


def test_a_folder_without_results_is_refused_by_name(tmp_path):
    with pytest.raises(ResultsError, match=r"lacks input/layers\.tsv, .*assess/metrics\.tsv"):
        read_results(tmp_path)


def test_the_script_writes_the_page_or_says_what_is_missing(folders, tmp_path):
    def run(folder):
        command = [sys.executable, SCRIPT, "--results", folder]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    refused = run(tmp_path)
    assert refused.returncode == 1
    assert "Give the folder of a finished run." in refused.stderr
    assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []
    assert run(folders["regression"]).returncode == 0
    written = (tmp_path / "omicsfusion_report.html").read_text(encoding="utf-8")
    assert written == render_report(read_results(folders["regression"]))
