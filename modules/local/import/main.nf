process IMPORT {
    tag "${meta.id}"
    label 'process_single'

    input:
    tuple val(meta), val(rows), val(sample_ids), path(tables, stageAs: 'tables/?/*', arity: '1..*') // sample_ids: of files that hold one sample each, joined by ';'
    val code

    output:
    tuple val(meta), path("${meta.id}.h5ad"), emit: layer, optional: true // none when the table cannot be used
    path "${meta.id}.problems.tsv", emit: problems
    tuple val(task.process), val('h5py'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'h5py\'))"'), topic: versions
    tuple val(task.process), val('pyarrow'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'pyarrow\'))"'), topic: versions

    script:
    def named = sample_ids ? "--samples '${sample_ids}'" : ''
    """
    import.py \\
        --layer ${meta.layer} \\
        --kind ${meta.kind} \\
        --cohort ${meta.cohort} \\
        --rows ${rows} \\
        --files ${tables} \\
        ${named}
    """

    stub:
    """
    touch ${meta.id}.h5ad
    printf 'severity\\tproblem\\tcure\\tfile\\trow\\tcolumn\\ttext\\n' > ${meta.id}.problems.tsv
    """
}
