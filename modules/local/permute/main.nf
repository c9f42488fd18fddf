process PERMUTE {
    tag "${number}"
    label 'process_single'

    input:
    val number
    path samples
    path duplicates, arity: '0..*' // pairs of samples that no split may part
    path clinical, arity: '0..*'   // h5ad of the covariates of each cohort, when they go with the outcome
    val options // task, split, folds, inner_folds, folds_per_task, seed
    val code

    output:
    tuple path('p*.groups.tsv'), path('p*.samples.tsv'), path('p*.splits.tsv'), emit: permuted
    tuple path('p*.groups.tsv'), path('p*/*.h5ad'), emit: clinical, optional: true
    path 'p*.permutation.tsv', emit: account
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'numpy\'))"'), topic: versions

    script:
    def pairs = duplicates ? "--duplicates ${duplicates}" : ''
    def moved = clinical ? "--clinical ${clinical}" : ''
    """
    permute.py \\
        --samples ${samples} \\
        --number ${number} \\
        --task ${options.task} \\
        --split '${options.split}' \\
        --folds ${options.folds} \\
        --inner_folds ${options.inner_folds} \\
        --folds_per_task ${options.folds_per_task} \\
        --seed ${options.seed} \\
        ${pairs} \\
        ${moved}
    """

    stub:
    def moved = clinical ? "mkdir p${number} && touch p${number}/clinical.h5ad" : ''
    """
    ${moved}
    touch p${number}.samples.tsv
    printf 'permutation\\trepeat\\tfold\\tinner\\tgroup\\tsample\\tpatient\\trole\\n' > p${number}.splits.tsv
    printf 'group\\tn_scopes\\tn_outer\\np${number}\\t1\\t1\\n' > p${number}.groups.tsv
    printf 'permutation\\tn_samples\\tn_kept\\treason\\n${number}\\t0\\t0\\ta stub\\n' > p${number}.permutation.tsv
    """
}
