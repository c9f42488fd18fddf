process LEARNING_CURVE {
    tag "${options.task}"
    label 'process_low'

    input:
    path predictions               // predictions.tsv of the run
    path of_shares, arity: '0..*'  // predictions of all models on all shares
    path groups                    // learning_groups.tsv
    path shares                    // learning_shares.tsv
    val options                    // task, seed
    val code

    output:
    path 'learning_curve.tsv', emit: curve
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'numpy\'))"'), topic: versions

    script:
    """
    export OMP_NUM_THREADS=${task.cpus} OPENBLAS_NUM_THREADS=${task.cpus}
    learning_curve.py \\
        --predictions ${predictions} \\
        --of_shares ${of_shares} \\
        --groups ${groups} \\
        --shares ${shares} \\
        --task ${options.task} \\
        --seed ${options.seed}
    """

    stub:
    """
    printf 'permutation\\ttarget\\tmodel\\tmetric\\tshare\\tn_patients\\tn_events\\tn_failed\\testimate\\tci_low\\tci_high\\tgain\\tgain_low\\tgain_high\\treason\\n' > learning_curve.tsv
    """
}
