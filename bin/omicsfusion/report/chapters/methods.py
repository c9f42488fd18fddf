"""What was done, in words to be copied into a paper; how to cite it; what it does not show."""

from collections.abc import Mapping
from typing import Any

from omicsfusion.report.blocks import Chapter, Table
from omicsfusion.report.results import Results
from omicsfusion.report.verdict import is_network
from omicsfusion.report.words import FAMILIES, count, family_of, listed, lowered, span

HIDDEN = ("input", "samples", "outdir", "help", "step")
"""Parameters that name places on somebody's disk or shape no result."""

OWN_SENTENCES = {"fused", "linear", "clinical"}
"""Families that have a sentence of their own."""
NETWORK = {
    "classification": "the probability of each class (softmax)",
    "survival": "a log hazard, trained on Cox's partial likelihood with Efron's ties",
    "regression": "the outcome's mean",
}
LINEAR = {
    "classification": "a logistic regression with ridge or elastic-net penalty",
    "survival": "an elastic-net Cox regression (Coxnet)",
    "regression": "a ridge regression",
}
NOT_PREDICTED = {
    "classification": "as if all classes were equally probable",
    "survival": "as half-right pairs, and by the training samples' survival curve",
    "regression": "as the mean of the training samples",
}
CITATIONS = {
    "Nextflow": "Di Tommaso P, et al. Nat Biotechnol 2017;35:316–319.",
    "Keras": "Chollet F, et al. Keras. 2015.",
    "TensorFlow": "Abadi M, et al. OSDI 2016:265–283.",
    "scikit-learn": "Pedregosa F, et al. J Mach Learn Res 2011;12:2825–2830.",
    "Bootstrap intervals": "Efron B, Tibshirani RJ. An Introduction to the Bootstrap. 1993.",
}
SURVIVAL_CITATIONS = {
    "C-index": "Harrell FE, et al. Stat Med 1996;15:361–387.",
    "Uno's C": "Uno H, et al. Stat Med 2011;30:1105–1117.",
    "scikit-survival": "Pölsterl S. J Mach Learn Res 2020;21(212):1–6.",
}
COMPARISON_CITATIONS = {
    "Corrected t-test": "Nadeau C, Bengio Y. Mach Learn 2003;52:239–281.",
    "Holm's correction": "Holm S. Scand J Stat 1979;6:65–70.",
    "Ranks": "Demšar J. J Mach Learn Res 2006;7:1–30.",
}
EXPLAIN_CITATIONS = {"Expected gradients": "Erion G, et al. Nat Mach Intell 2021;3:620–631."}
TUNING_CITATIONS = {
    "Optuna": "Akiba T, et al. KDD 2019:2623–2631.",
    "Parzen estimators": "Bergstra J, et al. Adv Neural Inf Process Syst 2011;24:2546–2554.",
    "Functional ANOVA": "Hutter F, et al. ICML 2014:754–762.",
}
ENRICH_CITATIONS = {
    "Gene set enrichment": "Subramanian A, et al. Proc Natl Acad Sci USA 2005;102:15545–15550.",
    "GSEApy": "Fang Z, et al. Bioinformatics 2023;39:btac757.",
}

STEP_CITATIONS = {
    "tmm": ("TMM", "Robinson MD, Oshlack A. Genome Biol 2010;11:R25."),
    "median_of_ratios": ("Median of ratios", "Anders S, Huber W. Genome Biol 2010;11:R106."),
    "vst": ("Variance stabilisation", "Anders S, Huber W. Genome Biol 2010;11:R106."),
    "quantile": ("Quantile normalisation", "Bolstad BM, et al. Bioinformatics 2003;19:185–193."),
    "m_values": ("M-values", "Du P, et al. BMC Bioinformatics 2010;11:587."),
    "by_design": ("BMIQ", "Teschendorff AE, et al. Bioinformatics 2013;29:189–196."),
    "pqn": ("PQN", "Dieterle F, et al. Anal Chem 2006;78:4281–4290."),
    "clr": ("Log-ratios", "Aitchison J. J R Stat Soc B 1982;44:139–177."),
    "combat": ("ComBat", "Johnson WE, et al. Biostatistics 2007;8:118–127."),
    "knn": ("Nearest neighbours", "Troyanskaya O, et al. Bioinformatics 2001;17:520–525."),
    "stability": (
        "Stability selection",
        "Meinshausen N, Bühlmann P. J R Stat Soc B 2010;72:417–473.",
    ),
}
"""By the name of the method in the recipe."""
PICTURE_CITATIONS = {
    "umap": ("UMAP", "McInnes L, et al. arXiv:1802.03426, 2018."),
    "harmony": ("Harmony", "Korsunsky I, et al. Nat Methods 2019;16:1289–1296."),
    "tsne": ("t-SNE", "van der Maaten L, Hinton G. J Mach Learn Res 2008;9:2579–2605."),
}


def methods_chapter(results: Results) -> Chapter:
    """Make the chapter from what was published and, where recorded, the parameters."""
    return Chapter(
        "methods",
        "Methods, citation, limits",
        {
            "paragraphs": [
                _validation(results),
                _preprocessing(results),
                _models(results),
                _assessment(results),
                *([_comparison(results)] if results.verdict.get("questions") else []),
                *([_attribution()] if len(results["importance"]) else []),
            ],
            "params": _params(results),
            "version": results.version,
            "citations": _citations(results),
            "limits": _limits(results),
        },
    )


def _validation(results: Results) -> str:
    splits = results["splits"]
    outer = splits[splits["inner"] == "outer"].drop_duplicates(["repeat", "fold"])
    folds = span(list(outer.groupby("repeat").size()))
    repeats = outer["repeat"].nunique()
    how = str(results.params.get("split", ""))
    stratified = {"": "", "kfold": ", stratified by the outcome"}.get(how, f" ({how})")
    seed = f" The seed was {results.params['seed']}." if "seed" in results.params else ""
    return (
        f"Validation. Samples were divided into {folds} folds{stratified}, and that "
        f"{count(repeats, 'time')}; samples of one group (by default one patient) never lie on "
        "both sides. Whatever is fitted, from scaling to the network, was fitted anew on the "
        "training samples of each fold and applied to the fold held out. Inner folds of each "
        f"training set served for tuning and for cut-points.{seed}"
    )


def _preprocessing(results: Results) -> str:
    kinds = sorted(set(results["layers"]["kind"]))
    chains = [f"{layer}: {_chain(recipe)}" for layer, recipe in results.recipes.items()]
    done = (
        f"the methods were, in this order, {'; '.join(chains)}"
        if chains
        else "the methods are those of its kind"
    )
    return (
        f"Preprocessing. Each layer (kinds: {listed(kinds)}) went through a chain of steps fitted "
        f"on training samples only; {done}. Whether a step left the values as they were, and why, "
        "is told in the chapter on preparation. A sample that lacks a layer stays in; the models "
        "are told which layers it has."
    )


def _chain(recipe: Mapping[str, Any]) -> str:
    steps = [f"{choice['method']} ({choice['step']})" for choice in recipe.get("choices", ())]
    return ", ".join(steps) or "none"


def _models(results: Results) -> str:
    families = {family_of(model) for model in results.models}
    parts = ["Models."]
    if any(is_network(model) for model in results.models):
        parts.append(
            "The fused network has an encoder per layer and a gated fusion over the layers that a "
            f"sample has, and a linear path beside them; it predicts {NETWORK[results.task]}. "
            "Training stopped when the loss on a part of the training patients no longer fell. A "
            "prediction is the mean of several networks that differ in their random start."
        )
    if len(results["trials"]):
        sets = results["trials"].groupby(["model", "repeat", "fold", "inner"]).size()
        parts.append(
            "For each training set the settings of the networks were tuned on its inner folds by "
            f"tree-structured Parzen estimators ({span(list(sets))} trials, of which the worse "
            "half was given up after half of the folds)."
        )
    if families & {"linear", "clinical"}:
        parts.append(
            f"The linear model is {LINEAR[results.task]} on the layers put side by side, its "
            "penalty chosen in the inner folds; 'clinical covariates only' is the same on the "
            "covariates."
        )
    beside = [FAMILIES[family] for family in FAMILIES if family in families - OWN_SENTENCES]
    if beside:
        parts.append(
            "Beside them stand, each tuned on the same inner folds over a few settings: "
            f"{listed([lowered(name) for name in beside])}."
        )
    if results.task == "classification":
        parts.append("Classes were weighted so that each counts the same.")
    return " ".join(parts)


def _assessment(results: Results) -> str:
    pairs = {
        "classification": " AUROC compares samples within a fold only.",
        "survival": " C-indices compare samples within a fold only.",
        "regression": " R² refers to the mean of each fold.",
    }[results.task]
    return (
        "Assessment. Numbers are from held-out predictions; where a fit failed its samples count "
        f"{NOT_PREDICTED[results.task]}. Intervals are the central 95 % of a bootstrap that draws "
        f"patients with all their samples; models are not retrained in it.{pairs}"
    )


def _comparison(results: Results) -> str:
    methods = {question["method"] for question in results.verdict["questions"]}
    corrected = (
        "the corrected resampled t-test (standard error with the term for overlapping training "
        "sets)"
    )
    tests = {"nadeau_bengio": corrected, "bootstrap": "the bootstrap of the patients"}
    tested = listed([tests[name] for name in sorted(methods, reverse=True)])
    margin, equivalence = results.verdict["margin"], results.verdict["equivalence"]
    return (
        "Comparison. Models were compared by the paired difference of their scores on the patients "
        f"that both predict, tested by {tested}, with Holm's correction over the questions. Of "
        "several models a side takes the one that did best in the inner folds of each training "
        f"set. 'Helped' takes a corrected p of at most .05, a difference of at least {margin:g} "
        "with a 90 % interval above 0, and its sign in four of five repeats; 'did not help' an "
        f"interval that ends below {equivalence:g}."
    )


def _attribution() -> str:
    return (
        "Attribution. SHAP values by expected gradients, with a background from each fold's "
        "training samples, were computed on its test samples and averaged over the outer folds."
    )


def _params(results: Results) -> Table | None:
    shown = {k: v for k, v in results.params.items() if k not in HIDDEN and v is not None}
    rows = [[f"--{name}", _value(name, value)] for name, value in sorted(shown.items())]
    return Table("Parameters of the run", ["Parameter", "Value"], rows, (1,)) if rows else None


def _value(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "gene_sets":
        return ", ".join(path.rsplit("/", 1)[-1] for path in str(value).split(","))
    return str(value)


def _citations(results: Results) -> dict[str, str]:
    used = {choice["method"] for r in results.recipes.values() for choice in r.get("choices", ())}
    drawn = set(results["embedding"]["method"])
    steps = [STEP_CITATIONS[name] for name in STEP_CITATIONS if name in used]
    pictures = [PICTURE_CITATIONS[name] for name in PICTURE_CITATIONS if name in drawn]
    return {
        **CITATIONS,
        **dict([*steps, *pictures]),
        **(SURVIVAL_CITATIONS if results.task == "survival" else {}),
        **(COMPARISON_CITATIONS if len(results["comparison"]) else {}),
        **(EXPLAIN_CITATIONS if len(results["importance"]) else {}),
        **(TUNING_CITATIONS if len(results["trials"]) else {}),
        **(ENRICH_CITATIONS if len(results["enrichment"]) else {}),
    }


def _limits(results: Results) -> list[str]:
    external = (results["metrics"]["scope"] == "external").any()
    elsewhere = (
        "The external samples are those of the cohorts given; other places may differ from them."
        if external
        else "It does not show how the models do in another hospital, platform or time: every "
        "patient here is from the cohort they were trained on."
    )
    limits = [
        "Where the verdict is that nothing can be told, the models may differ or be equal. "
        "Intervals of two models that overlap show neither.",
        "Intervals say how much the numbers would change with other patients to test on. They "
        "leave out what training on other patients would change, and so are too narrow for that.",
        elsewhere,
        "A feature that matters to a model need not cause the outcome; of features that go "
        "together one may stand for all.",
        "It is research software. Nothing here is fit to guide the treatment of a patient.",
    ]
    if results.task == "classification":
        limits.insert(
            3,
            "Probabilities were not calibrated: the models give every class the same weight, so "
            "they are not those of a cohort with rare and common classes.",
        )
    if results.task == "survival":
        limits.insert(3, "The C-index is about order only: it does not say how long anyone lives.")
    return limits
