process FIND_DUPLICATES {
    tag "${meta.id}"
    label 'process_single'

    input:
    tuple val(meta), path(layers) // one file per cohort
    path samples
    val code

    output:
    tuple val(meta), path("${meta.id}.duplicates.tsv"), emit: duplicates
    tuple val(meta), path("${meta.id}.duplicates_summary.tsv"), emit: summary
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'numpy\'))"'), topic: versions

    script:
    """
    export OMP_NUM_THREADS=${task.cpus} OPENBLAS_NUM_THREADS=${task.cpus}
    find_duplicates.py \\
        --layer ${meta.id} \\
        --files ${layers} \\
        --samples ${samples}
    """

    stub:
    """
    printf 'layer\\tsample\\tother\\tcohort\\tother_cohort\\tpatient\\tother_patient\\tcorrelation\\tcentred_correlation\\trelation\\n' > ${meta.id}.duplicates.tsv
    printf 'layer\\tn_samples\\tn_pairs_compared\\tn_duplicates\\tnote\\n' > ${meta.id}.duplicates_summary.tsv
    printf '${meta.id}\\t0\\t0\\t0\\t\\n' >> ${meta.id}.duplicates_summary.tsv
    """
}
