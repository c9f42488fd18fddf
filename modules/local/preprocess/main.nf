process PREPROCESS {
    tag "${meta.id}"
    label 'process_low'

    input:
    tuple val(meta), path(layers) // one file per cohort
    path splits
    path samples
    val code

    output:
    tuple val(meta), path("${meta.id}.matrices.h5"), emit: matrices
    tuple val(meta), path("${meta.id}.chains.h5"), emit: chains
    path "${meta.id}.features.tsv", emit: features
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'numpy\'))"'), topic: versions

    script:
    """
    export OMP_NUM_THREADS=${task.cpus} OPENBLAS_NUM_THREADS=${task.cpus}
    preprocess.py \\
        --id ${meta.id} \\
        --files ${layers} \\
        --splits ${splits} \\
        --samples ${samples} \\
        --group ${meta.group}
    """

    stub:
    """
    touch ${meta.id}.matrices.h5 ${meta.id}.chains.h5
    printf 'layer\\trepeat\\tfold\\tinner\\tn_in\\tn_constant\\tn_kept\\tn_train\\n' > ${meta.id}.features.tsv
    """
}
