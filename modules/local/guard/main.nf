process GUARD {
    tag "${options.split}"
    label 'process_low'

    input:
    path layers, arity: '1..*' // every layer of every cohort
    path samples
    path splits
    path duplicates, arity: '0..*' // pairs of samples that no split may part
    val options // task, split, seed
    val code

    output:
    path 'guards.tsv', emit: guards
    tuple val(task.process), val('scikit-learn'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-learn\'))"'), topic: versions

    script:
    def pairs = duplicates ? "--duplicates ${duplicates}" : ''
    """
    export OMP_NUM_THREADS=${task.cpus} OPENBLAS_NUM_THREADS=${task.cpus}
    guard.py \\
        --files ${layers} \\
        --samples ${samples} \\
        --splits ${splits} \\
        --task ${options.task} \\
        --split '${options.split}' \\
        --seed ${options.seed} \\
        ${pairs}
    """

    stub:
    """
    printf 'guard\\tlayer\\tstatus\\tvalue\\tthreshold\\tdetail\\tadvice\\n' > guards.tsv
    """
}
