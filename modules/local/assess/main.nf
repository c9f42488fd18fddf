process ASSESS {
    tag "${options.task}"
    label 'process_low'

    input:
    path predictions // of all models and groups
    path samples
    val options      // task, seed
    val code

    output:
    path 'predictions.tsv', emit: predictions
    path '{metrics,metrics_by_fold,metrics_by_pattern,roc,confusion,risk_groups,kaplan_meier,logrank}.tsv', emit: tables
    tuple val(task.process), val('lifelines'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'lifelines\'))"'), topic: versions

    script:
    """
    export OMP_NUM_THREADS=${task.cpus} OPENBLAS_NUM_THREADS=${task.cpus}
    assess.py \\
        --predictions ${predictions} \\
        --samples ${samples} \\
        --task ${options.task} \\
        --seed ${options.seed}
    """

    stub:
    """
    touch predictions.tsv metrics.tsv metrics_by_fold.tsv metrics_by_pattern.tsv
    """
}
