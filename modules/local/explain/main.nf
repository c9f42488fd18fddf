process EXPLAIN {
    tag "${meta.id}"
    label 'process_medium'
    label 'process_gpu'
    memory { 8.GB * task.attempt }

    input:
    tuple val(meta), path(models) // the fitted models of every group
    path matrices                 // of every layer and group
    path splits
    val options                   // seed, gpu
    val code

    output:
    tuple val(meta), path("${meta.id}.importance.tsv"), emit: importance
    path "${meta.id}.additivity.tsv", emit: additivity
    path "${meta.id}.attributions.h5", emit: attributions
    tuple val(task.process), val('keras'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'keras\'))"'), topic: versions

    script:
    def gpu = options.gpu == 'none' ? '' : "--gpu ${options.gpu}"
    """
    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
    export TF_NUM_INTRAOP_THREADS=${task.cpus} TF_NUM_INTEROP_THREADS=1
    explain.py \\
        --id ${meta.id} \\
        --model ${meta.model} \\
        --models ${models} \\
        --matrices ${matrices} \\
        --splits ${splits} \\
        --seed ${options.seed} ${gpu}
    """

    stub:
    """
    printf 'model\\toutput\\tlayer\\tfeature\\tmean_abs_shap\\tdirection\\tn_folds\\trank\\n' > ${meta.id}.importance.tsv
    printf 'model\\trepeat\\tfold\\toutput\\tn_samples\\tmean_abs_gap\\tmax_abs_gap\\tmean_abs_difference\\n' > ${meta.id}.additivity.tsv
    touch ${meta.id}.attributions.h5
    """
}
