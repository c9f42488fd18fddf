process GUARD {
    tag "${options.split}"
    label 'process_low'

    input:
    path layers, arity: '1..*' // every layer of every cohort
    path samples
    path splits
    path duplicates, arity: '0..*' // pairs of samples that no split may part
    path pretrained, stageAs: 'pretrained/*', arity: '0..*' // encoders from which networks begin
    val options // task, split, seed
    val code

    output:
    path 'guards.tsv', emit: guards
    tuple val(task.process), val('scikit-learn'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-learn\'))"'), topic: versions

    script:
    def pairs = duplicates ? "--duplicates ${duplicates}" : ''
    def encoders = pretrained ? "--pretrained ${pretrained[0]}" : ''
    """
    export OMP_NUM_THREADS=${task.cpus} OPENBLAS_NUM_THREADS=${task.cpus}
    guard.py \\
        --files ${layers} \\
        --samples ${samples} \\
        --splits ${splits} \\
        --task ${options.task} \\
        --split '${options.split}' \\
        --seed ${options.seed} \\
        ${pairs} ${encoders}
    """

    stub:
    """
    printf 'guard\\tlayer\\tstatus\\tvalue\\tthreshold\\tdetail\\tadvice\\n' > guards.tsv
    """
}
