process LOOK_AHEAD {
    tag "${mistake}"
    label 'process_single'

    input:
    val mistake // selection, tuning or batch
    path samples
    path splits
    path recipes // recipe.json of each layer
    val task_of_run // classification, survival or regression
    val code

    output:
    tuple val(mistake), path("${mistake}.groups.tsv"), path("${mistake}.prepare.tsv"), path("${mistake}.train.tsv"), path("${mistake}.networks.tsv"), emit: scopes
    tuple val(mistake), path("${mistake}/*.recipe.json"), emit: recipes
    path "${mistake}.covariates.tsv", emit: covariates, optional: true
    tuple val(task.process), val('pandas'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'pandas\'))"'), topic: versions

    script:
    """
    look_ahead.py \\
        --mistake ${mistake} \\
        --samples ${samples} \\
        --splits ${splits} \\
        --recipes ${recipes} \\
        --task ${task_of_run}
    """

    stub:
    """
    touch ${mistake}.prepare.tsv ${mistake}.train.tsv ${mistake}.networks.tsv
    printf 'group\\tn_scopes\\tn_outer\\n${mistake}\\t1\\t1\\n' > ${mistake}.groups.tsv
    mkdir ${mistake}
    cp ${recipes} ${mistake}/
    ${mistake == 'batch' ? 'touch batch.covariates.tsv' : ''}
    """
}
