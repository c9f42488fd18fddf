process PRETRAIN {
    tag "${options.objective}"
    label 'process_medium'
    label 'process_gpu'
    memory { 8.GB * task.attempt }

    input:
    path matrices, arity: '1..*' // one file per layer
    path splits
    val options                  // objective, seed, ensemble, settings, gpu
    val code

    output:
    path 'encoders.h5', emit: encoders
    path 'pretraining.tsv', emit: record
    path 'curves.tsv', emit: curves
    tuple val(task.process), val('keras'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'keras\'))"'), topic: versions
    tuple val(task.process), val('tensorflow'), eval('python3 -c "from importlib.metadata import distributions as d; print(*{x.version for x in d() if x.name in (\'tensorflow\', \'tensorflow-cpu\', \'tensorflow_cpu\')})"'), topic: versions

    script:
    def settings = options.settings ? "--settings ${options.settings}" : ''
    def gpu = options.gpu == 'none' ? '' : "--gpu ${options.gpu}"
    """
    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
    export TF_NUM_INTRAOP_THREADS=${task.cpus} TF_NUM_INTEROP_THREADS=1
    pretrain.py \\
        --matrices ${matrices} \\
        --splits ${splits} \\
        --objective ${options.objective} \\
        --seed ${options.seed} \\
        --ensemble ${options.ensemble} \\
        ${settings} ${gpu}
    """

    stub:
    """
    touch encoders.h5
    printf 'objective\\tnetwork\\tlayers\\tn_train\\tn_stop\\tepochs\\tbest_epoch\\tstop_loss\\n' > pretraining.tsv
    printf 'network\\tepoch\\ttrain_loss\\tstop_loss\\n' > curves.tsv
    """
}
