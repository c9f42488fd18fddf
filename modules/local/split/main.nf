process SPLIT {
    tag "${options.split}"
    label 'process_single'

    input:
    path samples
    path duplicates, arity: '0..*' // pairs of samples that no split may part
    val options // task, split, folds, repeats, inner_folds, folds_per_task, seed, horizons
    val code

    output:
    path 'splits.tsv', emit: splits
    path 'groups.tsv', emit: groups
    path 'horizons.tsv', emit: horizons, optional: true
    tuple val(task.process), val('scikit-learn'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-learn\'))"'), topic: versions

    script:
    def pairs = duplicates ? "--duplicates ${duplicates}" : ''
    def horizons = options.horizons ? "--horizons ${options.horizons}" : ''
    """
    split.py \\
        --samples ${samples} \\
        --task ${options.task} \\
        --split '${options.split}' \\
        --folds ${options.folds} \\
        --repeats ${options.repeats} \\
        --inner_folds ${options.inner_folds} \\
        --folds_per_task ${options.folds_per_task} \\
        --seed ${options.seed} \\
        ${pairs} \\
        ${horizons}
    """

    stub:
    """
    printf 'permutation\\trepeat\\tfold\\tinner\\tgroup\\tsample\\tpatient\\trole\\n' > splits.tsv
    printf 'group\\tn_scopes\\tn_outer\\nall\\t1\\t1\\n' > groups.tsv
    """
}
