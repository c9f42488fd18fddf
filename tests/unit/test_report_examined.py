"""What the page says of quality, preparation, batches and guards."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omicsfusion.report.chapters.answer import answer_chapter
from omicsfusion.report.chapters.batch import batch_chapter
from omicsfusion.report.chapters.colourings import colourings
from omicsfusion.report.chapters.guards import guards_chapter, guards_line
from omicsfusion.report.chapters.preparation import preparation_chapter
from omicsfusion.report.chapters.quality import quality_chapter
from omicsfusion.report.page import render_report
from omicsfusion.report.results import read_results
from omicsfusion.tables.outcome import TASKS
from omicsfusion.tables.tsv import write_tsv
from tests.results_folder import edit_table, write_results
from tests.unit.test_report_page import Outline, drawings_of, figures_of, text_of

LARGEST_PAGE = 12_000_000


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("examined")
    return {task: write_results(root / task, task, external=8) for task in TASKS}


@pytest.fixture
def copied(folders, tmp_path):
    return lambda task="classification": Path(shutil.copytree(folders[task], tmp_path / "results"))


@pytest.fixture(scope="module")
def results(folders):
    return read_results(folders["classification"])


def chain_of(results, layer="rna"):
    chains = preparation_chapter(results).content["chains"]
    return next(chain for chain in chains if chain["layer"] == layer)


def quality_of(results, layer="rna"):
    layers = quality_chapter(results).content["layers"]
    return next(view for view in layers if view["layer"] == layer)


def column(table, name):
    return [row[table.header.index(name)] for row in table.rows]


# Preparation


def test_the_chain_stands_in_its_order_with_who_chose_each_step(results):
    steps = chain_of(results)["steps"]
    assert [row[0] for row in steps.rows] == [
        *("Outlying samples", "Filter", "Normalise", "Batch"),
        *("Fill in missing values", "Select", "Scale"),
    ]
    assert column(steps, "Method, and who chose it") == [
        *("leave_out\nchosen by you", "detected\nby kind", "tmm\nby kind"),
        *("combat\nchosen by you", "auto\nchosen by you", "variance\nby kind", "robust\nby kind"),
    ]
    assert column(steps, "Features in → out")[1] == "60 → 51"


def test_a_step_that_was_left_out_says_why_and_in_how_many_training_sets(results):
    what = column(chain_of(results)["steps"], "What it did")
    assert what[2].endswith("\nLeft out in 7 of 21 training sets: z-scores came in")
    assert "Left out" not in what[3]


def test_a_step_left_out_of_the_final_chain_gives_its_reason(copied):
    folder = copied()
    edit_table(
        folder / "preprocess/rna.all.steps.tsv",
        lambda table: table.assign(
            skipped=np.where(table["step"] == "normalise", "values are negative", ""),
            did=np.where(table["step"] == "normalise", "", table["did"]),
        ),
    )
    what = column(chain_of(read_results(folder))["steps"], "What it did")
    assert what[2] == "Left out: values are negative"


def test_words_that_differ_between_training_sets_are_counted_but_figures_are_not(copied):
    folder = copied()

    def change(table):
        inner = ~table["inner"].isin(["outer", "final"]) & (table["step"] == "impute")
        return table.assign(did=table["did"].where(~inner, "svd"))

    before = column(chain_of(read_results(folder))["steps"], "What it did")[4]
    edit_table(folder / "preprocess/rna.all.steps.tsv", change)
    after = column(chain_of(read_results(folder))["steps"], "What it did")[4]
    assert "Otherwise" not in before, "only the number of samples differs"
    assert after.endswith("Otherwise in 14 of 21 training sets")


def test_a_step_that_the_user_left_out_is_listed_as_such(copied):
    folder = copied()
    path = folder / "preprocess/methylation.recipe.json"
    recipe = json.loads(path.read_text()) | {"chosen": ["select"]}
    path.write_text(json.dumps(recipe))
    rows = chain_of(read_results(folder), "methylation")["steps"].rows
    assert ["Select", "none\nchosen by you", "Nothing: left out.", ""] in [list(r) for r in rows]


def test_reasons_count_training_sets_that_do_not_have_them_as_zero(copied):
    folder = copied()
    rows = [("rna", 1, fold, "outer", "filter", "rare", 10) for fold in (1, 2)]
    columns = ["layer", "repeat", "fold", "inner", "step", "reason", "n"]
    write_tsv(pd.DataFrame(rows, columns=columns), folder / "preprocess/rna.all.dropped.tsv")
    dropped = chain_of(read_results(folder))["dropped"]
    assert [list(row) for row in dropped.rows] == [["rare", "Filter", "0", "2 of 6"]]


def test_selection_is_told_over_all_tasks_that_handled_folds(copied):
    folder = copied()
    (folder / "preprocess/rna.all.kept.tsv").unlink()
    for group, names in (("g001", ["A", "B"]), ("g002", ["A", "C"])):
        rows = [("rna", name, 3, 3, 0) for name in names]
        columns = ["layer", "feature", "n_outer", "n_kept", "in_final"]
        write_tsv(pd.DataFrame(rows, columns=columns), folder / f"preprocess/rna.{group}.kept.tsv")
    chain = chain_of(read_results(folder))
    assert chain["stability"] == (
        "3 features kept at least once: 1 (33 %) in all 6 outer folds, 2 in half of them or more, "
        "0 in fewer."
    )
    assert [list(row) for row in chain["kept"].rows] == [
        ["A", "all 6", "no"],
        ["B", "3 of 6", "no"],
        ["C", "3 of 6", "no"],
    ]


def test_a_selection_that_is_the_same_in_all_folds_needs_no_list(copied):
    folder = copied()
    edit_table(
        folder / "preprocess/rna.all.kept.tsv", lambda table: table.iloc[:9].assign(n_kept="6")
    )
    chain = chain_of(read_results(folder))
    assert chain["stability"] == "9 features kept, the same in all 6 outer folds."
    assert chain["kept"] is None


def test_at_most_fifty_kept_features_are_listed(results):
    kept = chain_of(results)["kept"]
    assert len(kept.rows) == 50
    assert "10 further features" in kept.note


def test_ways_to_fill_in_missing_values_stand_best_first_with_what_was_taken(results):
    table = chain_of(results)["imputation"]
    assert [row[0] for row in table.rows] == ["svd", "knn", "median"]
    assert column(table, "Chosen in") == ["all 6", "none", "none"]
    assert column(table, "Error")[0] == "0.640\nstandard error 0.012"
    assert column(table, "Values hidden for being low")[0] == "0.940"


def test_outlying_samples_and_absent_features_are_told_where_there_are_any(results):
    chain, other = chain_of(results), chain_of(results, "methylation")
    assert [list(row) for row in chain["outliers"].rows] == [
        ["S003-0", "11 of 21", "total 3.1 (robust z -7.4)"]
    ]
    assert other["outliers"] is None
    assert [list(row[:3]) for row in other["absent"].rows] == [["elsewhere", "2 of 51", "4 %"]]


def test_a_layer_without_recipe_and_tables_still_has_a_page(copied):
    folder = copied()
    for path in folder.glob("preprocess/*"):
        if path.name.endswith((".recipe.json", ".dropped.tsv", ".absent.tsv", ".imputation.tsv")):
            path.unlink()
    chain = chain_of(read_results(folder))
    assert chain["dropped"] is None
    assert column(chain["steps"], "Method")[0] == "detected"
    assert "the methods are those of its kind" in text_of(render_report(read_results(folder)))


def test_the_methods_name_the_chain_of_each_layer(results):
    assert "methylation: detected (filter), m_values (normalise), robust (scale)" in text_of(
        render_report(results)
    )


def test_methods_that_were_used_are_cited_and_others_are_not(results):
    text = text_of(render_report(results))
    assert "Johnson WE" in text
    assert "McInnes L" in text
    assert "Dieterle" not in text


# Batch


def test_batch_strength_stands_before_and_after_as_medians_over_outer_folds(results):
    layer = batch_chapter(results).content["layers"][0]
    assert layer["layer"] == "rna"
    outer = results["batch"]
    outer = outer[(outer["inner"] == "outer") & (outer["measure"] == "PC regression")]
    for stage, name in (("before", "Before"), ("after", "After")):
        values = outer.loc[outer["stage"] == stage, "value"]
        shown = column(layer["strength"], name)[0].split("\n")[0]
        assert float(shown) == pytest.approx(values.median(), rel=0.005)
    assert column(layer["strength"], "Compare with") == ["0.091 by chance", "0: mixed, 1: apart"]


def test_batch_and_outcome_are_told_with_a_verdict(results):
    layer = batch_chapter(results).content["layers"][0]
    assert [row[0] for row in layer["outcome"].rows] == [
        "Cramer's V",
        "Share in batches with one class",
    ]
    assert column(layer["outcome"], "Test") == ["p = 0.0040", "—"]
    assert layer["notes"][0].startswith("Batch and outcome hang together")
    assert "in all 6 outer training sets" in layer["notes"][0]
    assert "1 of 3 batches have one class" in layer["notes"][1]


def test_samples_that_the_correction_left_alone_are_told(copied):
    folder = copied()
    reason, note = "batch AQ was not seen in training", "test samples left as they are"
    rows = [("rna", 1, fold, "outer", "flagged", reason, fold, "", note) for fold in (1, 2)]
    edit_table(
        folder / "preprocess/rna.all.batch.tsv",
        lambda table: pd.concat(
            [
                table,
                pd.DataFrame(
                    rows,
                    columns=[
                        "layer",
                        "repeat",
                        "fold",
                        "inner",
                        "stage",
                        "measure",
                        "value",
                        "p",
                        "note",
                    ],
                ),
            ]
        ),
    )
    layer = batch_chapter(read_results(folder)).content["layers"][0]
    assert [list(row) for row in layer["flagged"].rows] == [
        ["Batch AQ was not seen in training", "1\N{EN DASH}2", note, "2 of 6"]
    ]
    assert len(layer["strength"].rows) == 2


def test_what_becomes_of_new_and_small_batches_is_said(results):
    done = " ".join(batch_chapter(results).content["layers"][0]["done"])
    assert "Corrected by combat" in done
    assert "Protected: the effect of age." in done
    assert "not seen in training pass uncorrected, and are flagged" in done
    assert "corrected together, as one" in done


def test_a_batch_that_was_only_measured_has_no_second_column(copied):
    folder = copied()
    edit_table(folder / "preprocess/rna.all.batch.tsv", lambda t: t[t["stage"] != "after"])
    edit_table(folder / "preprocess/rna.all.steps.tsv", lambda t: t[t["step"] != "batch"])
    (folder / "preprocess/rna.recipe.json").unlink()
    layer = batch_chapter(read_results(folder)).content["layers"][0]
    assert "After" not in layer["strength"].header
    assert "Nothing was corrected: the batch was only measured." in layer["done"]


def test_without_batches_there_is_no_chapter_on_them(copied):
    folder = copied()
    (folder / "preprocess/rna.all.batch.tsv").unlink()
    assert batch_chapter(read_results(folder)) is None


# Quality


def test_the_overview_counts_flags_and_wrong_sexes_cohort_by_cohort(results):
    overview = quality_chapter(results).content["overview"]
    rows = {tuple(row[:2]): list(row[2:]) for row in overview.rows}
    assert rows["rna", "main"] == ["36", "60", "3 %", "1", "1 of 36"]
    assert rows["methylation", "elsewhere"] == ["8", "60", "2 %", "0", "—"]
    assert [row[1] for row in overview.rows][:2] == ["main", "elsewhere"], "training cohort first"


def test_flagged_samples_signs_and_duplicates_stand_with_their_reasons(results):
    view = quality_of(results)
    assert [row[0] for row in view["flagged"].rows] == ["S003-0"]
    assert "robust z -12.3" in view["flagged"].rows[0][3]
    assert view["signs"] == [
        "main: Most features are standardised over all samples of the table "
        "(standardised features: 0.960)."
    ]
    assert [list(row) for row in view["sex"].rows] == [["S005-0", "main", "male", "female"]]
    assert view["duplicates"].rows[0][:2] == ["S000-0 and S001-0", "two patients"]
    other = quality_of(results, "methylation")
    assert not any(other[name] for name in ("signs", "flagged", "sex", "duplicates"))
    assert other["duplicates_note"] == "Of 946 pairs of samples none is all but identical."


def test_features_that_are_all_alike_are_said_and_not_drawn(results):
    view = quality_of(results)
    assert [figure.caption for figure in view["histograms"]] == [
        "Values that are zero",
        "Mean",
        "Standard deviation",
    ]
    assert view["histograms_note"] == "Samples without a value: 0 % for every feature."


def test_covariates_without_anything_to_show_have_no_section(results):
    layers = [view["layer"] for view in quality_chapter(results).content["layers"]]
    assert layers == ["methylation", "rna"]


def test_of_many_samples_every_nth_and_all_flagged_ones_are_drawn(copied):
    folder = copied()
    n = 1000
    many = pd.DataFrame(
        {"layer": "rna", "cohort": "main", "sample": [f"T{i:04d}" for i in range(n)]}
    )
    medians = np.arange(n) / 100
    quantiles = {f"q{q:02d}": medians + q / 100 for q in (5, 25, 50, 75, 95)}
    write_tsv(many.assign(**quantiles), folder / "qc/rna.qc_distributions.tsv")
    edit_table(
        folder / "qc/rna.qc_samples.tsv",
        lambda table: table.assign(sample=table["sample"].where(table["outlier"] == "no", "T0001")),
    )
    figure = quality_of(read_results(folder))["distributions"]
    median = next(trace for trace in figure.data if trace["name"] == "median")
    assert median["text"][:3] == ["T0000", "T0001", "T0003"]
    assert len(median["text"]) == 335
    assert "Of 1,000 samples one in 3, by their medians, is drawn" in figure.caption


@pytest.mark.parametrize("task", TASKS)
def test_pictures_show_each_placed_sample_once_in_every_view(folders, task):
    results = read_results(folders[task])
    figures = figures_of(render_report(results))
    figure = figures["points-2"]
    assert list(figure["views"]) == [
        f"{method}/{colour}"
        for method in ("pca", "umap", "harmony", "tsne")
        for colour in ("outcome", "batch", "cohort")
    ]
    embedding = results["embedding"]
    for name, drawn in zip(figure["views"], drawings_of(figure), strict=True):
        here = (embedding["layer"] == "rna") & (embedding["method"] == name.partition("/")[0])
        points = [
            (text, x, y)
            for trace in drawn["data"]
            for text, x, y in zip(trace["text"], trace["x"], trace["y"], strict=True)
            if x is not None
        ]
        wanted = embedding[here].sort_values("sample")
        assert [text for text, _, _ in sorted(points)] == list(wanted["sample"])
        assert [x for _, x, _ in sorted(points)] == pytest.approx(list(wanted["x"]), rel=1e-4)
        assert [y for _, _, y in sorted(points)] == pytest.approx(list(wanted["y"]), rel=1e-4)
        marks = [(t["marker"]["color"], t["marker"]["symbol"]) for t in drawn["data"]]
        assert len(set(marks)) == len(marks), "two categories look the same"
    assert "For looking only" in figure["views"]["tsne/outcome"]["note"]
    assert "36" in figure["views"]["tsne/outcome"]["alt"], "external samples are not placed"


def test_the_picture_after_harmony_says_what_it_is_and_who_is_missing(results):
    figure = quality_of(results)["points"]
    labels = dict(figure.switches[0].choices)
    assert list(labels.values()) == ["PCA", "UMAP", "UMAP after Harmony", "t-SNE"]
    view = figure.views["harmony/batch"]
    assert "After Harmony, for looking only: nothing uses it." in view.note
    assert view.note.endswith(
        "Drawn without 6 training samples without a batch; the 8 external samples: Harmony "
        "projects none."
    )
    assert view.layout["xaxis"]["title"]["text"] == "UMAP 1, after Harmony"
    assert view.alt.startswith("UMAP after Harmony of 30 samples of rna, by batch (")
    assert "not known" not in view.alt, "samples without a batch are not placed"


def test_of_a_picture_that_harmony_could_not_make_the_reason_is_told(copied):
    folder = copied()
    edit_table(folder / "qc/rna.embedding.tsv", lambda table: table[table["method"] != "harmony"])
    reason = "1 of 3 batches with 5 or more training samples, fewer than 2."
    edit_table(
        folder / "qc/rna.embedding_summary.tsv",
        lambda t: t.assign(note=t["note"].where(t["method"] != "harmony", reason)),
    )
    view = quality_of(read_results(folder))
    assert not any(name.startswith("harmony") for name in view["points"].views)
    assert view["points_note"] == f"No picture by UMAP after Harmony: {reason}"


def test_without_batches_no_word_is_said_of_harmony(copied):
    folder = copied()
    for layer in ("methylation", "rna"):
        for name in ("embedding", "embedding_summary"):
            path = folder / f"qc/{layer}.{name}.tsv"
            edit_table(path, lambda table: table[table["method"] != "harmony"])
    page = text_of(render_report(read_results(folder)))
    assert "UMAP" in page
    assert "Harmony" not in page


def test_colours_follow_the_outcome_of_each_task(folders):
    categories = {}
    for task in TASKS:
        results = read_results(folders[task])
        colouring = colourings(results, list(results["samples"]["sample"]))[0]
        rows = results["samples"].reset_index()
        categories[task] = colouring.categories
        assert sorted(
            row for c in range(len(colouring.categories)) for row in colouring.rows(c)
        ) == list(range(len(rows)))
        if task == "survival":
            events = rows.index[rows["event"] == 1].tolist()
            assert colouring.rows(0) == events
        if task == "regression":
            lowest = rows.loc[colouring.rows(0), "truth"].max()
            assert lowest <= rows.loc[colouring.rows(1), "truth"].min()
            assert rows["truth"].quantile(0.25) >= lowest
    assert categories["survival"] == ["event", "censored"]
    assert categories["classification"] == ["basal", "her2", "luminal"]
    assert len(categories["regression"]) == 4


def test_many_batches_share_a_colour_and_unknown_ones_are_named(folders):
    from dataclasses import replace

    results = read_results(folders["classification"])
    samples = results["samples"].copy()
    samples["batch"] = [f"b{i % 12:02d}" for i in range(len(samples))]
    samples.loc[0, "batch"] = np.nan
    many = replace(results, tables={**results.tables, "samples": samples})
    colouring = colourings(many, list(samples["sample"]))[1]
    assert colouring.categories[:2] == ["b01", "b02"], "the first of the largest"
    assert colouring.categories[6:] == ["other batches", "batch not known"]
    assert colouring.rows(7) == [0]
    assert sum(len(colouring.rows(c)) for c in range(8)) == len(samples)


def test_a_large_study_makes_a_page_that_can_be_sent(folders, tmp_path):
    folder = Path(shutil.copytree(folders["classification"], tmp_path / "large"))
    rng = np.random.default_rng(2)
    n, layers = 2000, [f"layer {i}" for i in range(6)]
    names = [f"TCGA-{i:04d}-with-a-long-barcode-01A" for i in range(n)]
    one = pd.read_csv(folder / "input/samples.tsv", sep="\t").iloc[:1]
    many = one.loc[one.index.repeat(n)].assign(sample=names, patient=names)
    many["batch"] = [f"site {i % 20}" for i in range(n)]
    write_tsv(many, folder / "input/samples.tsv")
    for layer in layers:
        places = {name: rng.normal(0, 9, n).round(4) for name in ("x", "y")}
        base = pd.DataFrame({"layer": layer, "cohort": "main", "sample": names})
        write_tsv(
            pd.concat(
                [base.assign(method=m, **places) for m in ("pca", "harmony", "tsne", "umap")]
            ),
            folder / f"qc/{layer}.embedding.tsv",
        )
        quantiles = {f"q{q:02d}": places["x"] + q for q in (5, 25, 50, 75, 95)}
        write_tsv(base.assign(**quantiles), folder / f"qc/{layer}.qc_distributions.tsv")
    page = render_report(read_results(folder))
    assert len(page.encode()) < LARGEST_PAGE
    figure = quality_of(read_results(folder), layers[0])["points"]
    assert len(figure.columns["sample"]) == n, "up to 2,000 samples all are drawn"


def test_swaps_and_mismatches_are_listed_and_what_fits_is_not(results):
    found = quality_chapter(results).content["belonging"]
    assert [list(row[:3]) for row in found["flagged"].rows] == [
        ["S006-0", "methylation and rna\nmain", "exchanged with S007-0"],
        ["S007-0", "methylation and rna\nmain", "exchanged with S006-0"],
        ["S009-0", "methylation and rna\nmain", "does not fit"],
    ]
    assert found["judged"] == (
        "Close enough to judge single samples: 1 pair of layers; 3 samples are flagged."
    )
    judged = {row[1]: row[-1] for row in found["pairs"].rows}
    assert judged == {"main": "yes", "elsewhere": "no"}


def test_the_strongest_correlations_and_hubs_are_the_first_twenty(results):
    found = quality_chapter(results).content["belonging"]
    assert len(found["edges"].rows) == len(found["hubs"].rows) == 20
    sizes = [
        abs(float(cell.replace("\N{MINUS SIGN}", "-")))
        for cell in column(found["edges"], "Spearman")
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert "network.graphml" in text_of(render_report(results))


def test_layers_that_cannot_be_judged_are_said_to_be_so(copied):
    folder = copied()
    edit_table(folder / "qc/concordance.tsv", lambda table: table.assign(judged="no"))
    for name in ("swaps", "network", "hubs"):
        edit_table(folder / f"qc/{name}.tsv", lambda table: table.iloc[:0])
    found = quality_chapter(read_results(folder)).content["belonging"]
    assert found["judged"].startswith("No two layers go together closely enough")
    assert found["flagged"] is found["edges"] is found["hubs"] is None


# Guards


def test_alarms_stand_first_with_advice(results):
    content = guards_chapter(results).content
    assert content["summary"] == (
        "3 checks: 1 warned, 1 found nothing wrong and 1 could not be made."
    )
    assert column(content["table"], "Found") == ["▲ warning", "– not checked", "✓ in order"]
    assert content["alarms"] == [
        {
            "status": "▲ warning",
            "tone": "warning",
            "name": "Scaling over all samples, rna",
            "detail": "96 % of the features are standardised.",
            "advice": "Start from the values before that.",
        }
    ]


def test_the_answer_names_the_guards_that_gave_the_alarm_and_links_to_them(results, copied):
    line = "1 guard against leakage warns (scaling over all samples)."
    assert guards_line(results) == answer_chapter(results).content["guards"] == line
    page = render_report(results)
    links = [a.get("href") for tag, a in Outline(page).elements if tag == "a"]
    assert links.count("#guards") == 2, "one in the list of chapters, one in the answer"
    folder = copied()
    edit_table(
        folder / "qc/guards.tsv",
        lambda table: table.assign(status=["failed", "warning", "warning"]),
    )
    assert guards_line(read_results(folder)) == (
        "1 guard against leakage failed (patients parted by a split); 2 guards against "
        "leakage warn (scaling over all samples and order in time)."
    )


def test_without_alarms_the_answer_says_nothing_of_guards(copied):
    folder = copied()
    edit_table(folder / "qc/guards.tsv", lambda table: table.assign(status="ok"))
    results = read_results(folder)
    assert guards_line(results) == ""
    assert 'class="guards-line"' not in render_report(results)


def test_names_of_samples_layers_and_features_are_text_everywhere(tmp_path):
    wild = "<img src=x onerror=alert(1)>"
    write_results(tmp_path, "classification", feature_names=(wild,))
    for path in [*tmp_path.glob("qc/*.tsv"), *tmp_path.glob("preprocess/*.tsv")]:
        if path.name.startswith("rna."):
            edit_table(path, lambda table: table.assign(layer=wild))
        if "sample" in pd.read_csv(path, sep="\t", nrows=0).columns:
            edit_table(path, lambda table: table.assign(sample="<b>" + table["sample"]))
    page = render_report(read_results(tmp_path))
    assert not [tag for tag, _ in Outline(page).elements if tag in ("img", "b")]
    text = json.dumps(figures_of(page))
    assert "<b>S0" not in text, "plotly would read it as HTML"


def test_tables_of_an_older_run_are_not_needed(tmp_path):
    write_results(tmp_path, "survival", examined=False)
    page = render_report(read_results(tmp_path))
    for chapter in ("quality", "batch", "guards"):
        assert f'id="{chapter}"' not in page
    assert "What was done to each layer" not in text_of(page)
