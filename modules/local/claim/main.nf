process CLAIM {
    tag "${options.task}"
    label 'process_low'

    input:
    path predictions            // predictions.tsv of the run
    path claimed, arity: '0..*' // predictions of all models with all mistakes
    val options                 // task, mistakes
    val code

    output:
    path 'optimism.tsv', emit: optimism
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'numpy\'))"'), topic: versions

    script:
    """
    export OMP_NUM_THREADS=${task.cpus} OPENBLAS_NUM_THREADS=${task.cpus}
    claim.py \\
        --predictions ${predictions} \\
        --claimed ${claimed} \\
        --mistakes ${options.mistakes.join(',')} \\
        --task ${options.task}
    """

    stub:
    """
    printf 'target\\tmodel\\tmistake\\tmetric\\thonest\\tclaimed\\tdifference\\tn\\treason\\n' > optimism.tsv
    """
}
