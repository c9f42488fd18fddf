"""Which published tables the page is made of, and their columns (docs/output.md)."""

NEEDED = {
    "layers": "input/layers.tsv",
    "samples": "input/samples.tsv",
    "accounting": "input/sample_accounting.tsv",
    "splits": "splits/splits.tsv",
    "predictions": "predictions/predictions.tsv",
    "metrics": "assess/metrics.tsv",
    "by_fold": "assess/metrics_by_fold.tsv",
}

RECIPES = "*.recipe.json"
"""In the folder preprocess/, one for each layer."""

VERDICT = "assess/verdict.json"
VERDICT_SCHEMA = 1

SCOPE = ("layer", "repeat", "fold", "inner")

_INPUT_TO_MODEL = {
    "features": (
        "preprocess/*.features.tsv",
        (*SCOPE, "n_in", "n_constant", "n_kept", "n_train", "note"),
    ),
    "steps": (
        "preprocess/*.steps.tsv",
        (*SCOPE, "position", "step", "method", "n_in", "n_out", "did", "skipped"),
    ),
    "dropped": ("preprocess/*.dropped.tsv", (*SCOPE, "step", "reason", "n")),
    "kept": ("preprocess/*.kept.tsv", ("layer", "feature", "n_outer", "n_kept", "in_final")),
    "batch": ("preprocess/*.batch.tsv", (*SCOPE, "stage", "measure", "value", "p", "note")),
    "imputation": (
        "preprocess/*.imputation.tsv",
        (*SCOPE, "method", "mask", "mechanism", "error", "se", "chosen"),
    ),
    "outliers": ("preprocess/*.outliers.tsv", (*SCOPE, "sample", "reasons")),
    "absent": (
        "preprocess/*.absent.tsv",
        ("layer", "cohort", "n_needed", "n_absent", "share_absent", "features"),
    ),
}

_QUALITY = {
    "qc_samples": (
        "qc/*.qc_samples.tsv",
        (
            *("layer", "cohort", "sample", "patient", "role", "n_features", "missing", "zeros"),
            *("total", "median", "spread", "pc_distance", "outlier", "reasons"),
            *("sex_called", "sex_given", "sex_agrees"),
        ),
    ),
    "qc_features": (
        "qc/*.qc_features.tsv",
        ("layer", "cohort", "measure", "low", "high", "n"),
    ),
    "qc_distributions": (
        "qc/*.qc_distributions.tsv",
        ("layer", "cohort", "sample", "q05", "q25", "q50", "q75", "q95"),
    ),
    "embedding": ("qc/*.embedding.tsv", ("layer", "cohort", "sample", "method", "x", "y")),
    "embedding_summary": (
        "qc/*.embedding_summary.tsv",
        ("layer", "method", "n_samples", "n_features", "explained_x", "explained_y", "note"),
    ),
    "qc_summary": ("qc/*.qc_summary.tsv", ("layer", "cohort", "name", "value", "note")),
    "duplicates": (
        "qc/*.duplicates.tsv",
        (
            *("layer", "sample", "other", "cohort", "other_cohort", "patient", "other_patient"),
            *("correlation", "centred_correlation", "relation"),
        ),
    ),
    "duplicates_summary": (
        "qc/*.duplicates_summary.tsv",
        ("layer", "n_samples", "n_pairs_compared", "n_duplicates", "note"),
    ),
    "concordance": (
        "qc/concordance.tsv",
        (
            *("layer", "other", "cohort", "n_samples", "n_pairs", "judged"),
            *("median_own_rank", "share_own_best", "auc", "note"),
        ),
    ),
    "swaps": (
        "qc/swaps.tsv",
        (
            *("layer", "other", "cohort", "sample", "patient", "own_similarity", "own_rank", "n"),
            *("best_match", "best_similarity", "swapped_with", "flag", "reason"),
        ),
    ),
    "network": (
        "qc/network.tsv",
        ("layer", "feature", "other_layer", "other_feature", "rho", "p", "fdr", "n"),
    ),
    "hubs": ("qc/hubs.tsv", ("layer", "feature", "degree", "n_layers", "rank")),
    "guards": (
        "qc/guards.tsv",
        ("guard", "layer", "status", "value", "threshold", "detail", "advice"),
    ),
}

TRIED = (
    *("learning_rate", "weight_decay", "input_dropout", "hidden_dropout", "omics_dropout"),
    *("input_noise", "label_smoothing", "structure"),
)
"""What a trial may choose; a model's table has only what it chose from."""

_MODELS = {
    "by_pattern": (
        "assess/metrics_by_pattern.tsv",
        (
            *("permutation", "target", "model", "scope", "pattern", "metric", "estimate"),
            *("ci_low", "ci_high", "n", "n_events", "reason"),
        ),
    ),
    "seeds": (
        "assess/seeds.tsv",
        (
            *("target", "model", "metric", "n_seeds", "n_failed", "mean"),
            *("sd_seeds", "sd_folds", "sd_repeats", "ensemble", "reason"),
        ),
    ),
    "learning_curve": (
        "assess/learning_curve.tsv",
        (
            *("permutation", "target", "model", "metric", "share", "n_patients", "n_events"),
            *("n_failed", "estimate", "ci_low", "ci_high", "gain", "gain_low", "gain_high"),
            "reason",
        ),
    ),
    "optimism": (
        "assess/optimism.tsv",
        (
            *("target", "model", "mistake", "metric", "honest", "claimed", "difference", "n"),
            "reason",
        ),
    ),
    "comparison": (
        "assess/comparison.tsv",
        (
            *("permutation", "target", "scope", "family", "name", "model", "against", "metric"),
            *("score", "score_against", "difference", "ci_low", "ci_high", "p_holm", "method"),
            *("p_delong", "p_mcnemar", "n_folds", "n_patients", "n_events"),
        ),
    ),
    "ranks": (
        "assess/ranks.tsv",
        (
            *("permutation", "target", "model", "mean_rank", "n_folds", "n_models", "p"),
            "critical_difference",
        ),
    ),
    "roc": ("assess/roc.tsv", ("model", "class", "fpr", "tpr")),
    "confusion": ("assess/confusion.tsv", ("model", "truth", "predicted", "n")),
    "kaplan_meier": (
        "assess/kaplan_meier.tsv",
        ("model", "risk_group", "time", "survival", "ci_low", "ci_high", "at_risk", "events"),
    ),
    "logrank": (
        "assess/logrank.tsv",
        ("model", "statistic", "p", "n_low", "n_high", "hazard_ratio", "hr_low", "hr_high"),
    ),
    "d_calibration": (
        "assess/d_calibration.tsv",
        ("model", "statistic", "p", "n", *(f"share_{i}" for i in range(1, 11)), "reason"),
    ),
    "training": (
        "models/*.training.tsv",
        (
            *("model", "repeat", "fold", "inner", "n_train", "n_stop", "n_test", "status"),
            *("reason", "setting", "epochs", "best_epoch", "stop_loss"),
        ),
    ),
    "curves": (
        "models/*.curves.tsv",
        ("model", "repeat", "fold", "inner", "epoch", "train_loss", "stop_loss"),
    ),
    "trials": (
        "models/*.trials.tsv",
        (
            *("model", "repeat", "fold", "inner", "trial", "state", "chosen", "score", "folds"),
            *TRIED,
        ),
    ),
    "trials_importance": (
        "models/*.trials_importance.tsv",
        ("model", "repeat", "fold", "inner", "parameter", "importance", "n_trials"),
    ),
    "importance": (
        "explain/*.importance.tsv",
        (
            *("model", "output", "layer", "feature", "mean_abs_shap", "direction", "n_folds"),
            "rank",
        ),
    ),
    "additivity": (
        "explain/*.additivity.tsv",
        (
            *("model", "repeat", "fold", "output", "n_samples", "mean_abs_gap", "max_abs_gap"),
            "mean_abs_difference",
        ),
    ),
    "enrichment": (
        "enrich/enrichment.tsv",
        (
            *("model", "output", "layer", "gene_set_file", "term", "es", "nes", "p", "fdr"),
            *("n_genes", "leading_edge"),
        ),
    ),
    "enrichment_notes": ("enrich/enrichment_notes.tsv", ("model", "output", "layer", "note")),
}

OPTIONAL: dict[str, tuple[str, tuple[str, ...]]] = {**_INPUT_TO_MODEL, **_QUALITY, **_MODELS}
"""Name -> pattern of the files, columns. A run need not have them: chapters say so, or vanish."""

TEXT_COLUMNS = (
    *(
        "target",
        "scope",
        "metric",
        "pattern",
        "role",
        "group",
        "batch",
        "split",
        "layers",
        "kind",
        "rows",
    ),
    *("sources", "samples", "status", "where", "reason", "setting", "note", "output", "class"),
    *("predicted", "risk_group", "term", "gene_set_file", "leading_edge"),
    *("step", "method", "did", "skipped", "reasons", "features", "stage", "measure", "mechanism"),
    *("chosen", "outlier", "sex_called", "sex_given", "sex_agrees", "name", "relation", "judged"),
    *("other", "other_layer", "other_feature", "other_cohort", "other_patient", "best_match"),
    *("family", "against", "mistake"),
    *("swapped_with", "flag", "guard", "detail", "advice", "state", "parameter", "structure"),
)
