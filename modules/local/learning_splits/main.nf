process LEARNING_SPLITS {
    tag "${options.task}"
    label 'process_single'

    input:
    path samples
    path splits
    path duplicates, arity: '0..*' // pairs of samples that no split may part
    val options // task, inner_folds, folds_per_task, seed
    val code

    output:
    path 'learning_splits.tsv', emit: splits
    path 'learning_groups.tsv', emit: groups
    path 'learning_shares.tsv', emit: shares
    tuple val(task.process), val('scikit-learn'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-learn\'))"'), topic: versions

    script:
    def pairs = duplicates ? "--duplicates ${duplicates}" : ''
    """
    learning_splits.py \\
        --samples ${samples} \\
        --splits ${splits} \\
        --task ${options.task} \\
        --inner_folds ${options.inner_folds} \\
        --folds_per_task ${options.folds_per_task} \\
        --seed ${options.seed} \\
        ${pairs}
    """

    stub:
    """
    printf 'permutation\\trepeat\\tfold\\tinner\\tgroup\\tsample\\tpatient\\trole\\n' > learning_splits.tsv
    printf 'share\\tgroup\\tn_scopes\\tn_outer\\n0.5\\tn50\\t1\\t1\\n' > learning_groups.tsv
    printf 'share\\tn_patients\\tn_events\\treason\\n0.25\\t\\t\\ta stub\\n' > learning_shares.tsv
    """
}
