process TRAIN {
    tag "${meta.id}"
    label 'process_medium'
    label 'process_gpu'
    memory { memoryFor(network, options.ensemble) * task.attempt }

    input:
    tuple val(meta), path(matrices), path(gene_sets, stageAs: 'gene_sets/*', arity: '0..*'), path(network, stageAs: 'network/*', arity: '0..*'), path(positions, stageAs: 'positions/*', arity: '0..*'), path(studies, stageAs: 'studies/*', arity: '0..*'), path(pretrained, stageAs: 'pretrained/*', arity: '0..*') // matrices: one file per layer; the others only for models that read them, or go on from them
    path splits
    path samples
    path horizons, arity: '0..*'
    val options                     // task, target, seed, head, class_order, ensemble, mc_dropout, distil, settings, trials, tuning_minutes, gpu
    val code

    output:
    tuple val(meta), path("${meta.id}.predictions.tsv"), emit: predictions
    path "${meta.id}.members.tsv", emit: members
    tuple val(meta), path("${meta.id}.models"), emit: models
    path "${meta.id}.training.tsv", emit: training
    path "${meta.id}.curves.tsv", emit: curves
    path "${meta.id}.trials.tsv", emit: trials
    path "${meta.id}.trials_importance.tsv", emit: trials_importance
    tuple val(task.process), val('keras'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'keras\'))"'), topic: versions
    tuple val(task.process), val('tensorflow'), eval('python3 -c "from importlib.metadata import distributions as d; print(*{x.version for x in d() if x.name in (\'tensorflow\', \'tensorflow-cpu\', \'tensorflow_cpu\')})"'), topic: versions
    tuple val(task.process), val('scikit-survival'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-survival\'))"'), topic: versions
    tuple val(task.process), val('scikit-learn'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-learn\'))"'), topic: versions
    tuple val(task.process), val('xgboost'), eval('python3 -c "from importlib.metadata import distributions as d; print(*{x.version for x in d() if x.name in (\'xgboost\', \'xgboost-cpu\', \'xgboost_cpu\')})"'), topic: versions
    tuple val(task.process), val('optuna'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'optuna\'))"'), topic: versions

    script:
    def times = horizons ? "--horizons ${horizons[0]}" : ''
    def known = [gene_sets: gene_sets, network: network, positions: positions, studies: studies, pretrained: pretrained].findAll { _name, files -> files }
        .collect { name, files -> "--${name} ${files.join(' ')}" }.join(' ')
    def settings = options.settings ? "--settings ${options.settings}" : ''
    def order = options.class_order ? "--class_order '${options.class_order}'" : ''
    def distil = options.distil ? '--distil' : ''
    def gpu = options.gpu == 'none' ? '' : "--gpu ${options.gpu}"
    """
    # One BLAS thread: with two, the linear models of 640 samples x 4,050 features took eight times as long.
    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
    export TF_NUM_INTRAOP_THREADS=${task.cpus} TF_NUM_INTEROP_THREADS=1
    train.py \\
        --id ${meta.id} \\
        --model ${meta.model} \\
        --matrices ${matrices} \\
        --splits ${splits} \\
        --samples ${samples} \\
        --group ${meta.group} \\
        --task ${options.task} \\
        --target ${options.target} \\
        --seed ${options.seed} \\
        --head ${options.head} \\
        --ensemble ${options.ensemble} \\
        --mc_dropout ${options.mc_dropout} \\
        --trials ${options.trials} \\
        --tuning_minutes ${options.tuning_minutes} \\
        --cpus ${task.cpus} \\
        ${times} ${order} ${settings} ${known} ${distil} ${gpu}
    """

    stub:
    """
    mkdir ${meta.id}.models
    printf 'permutation\\ttarget\\tmodel\\tscope\\trepeat\\tfold\\tinner\\tsample\\tpatient\\n' > ${meta.id}.predictions.tsv
    printf 'permutation\\ttarget\\tmodel\\tscope\\trepeat\\tfold\\tinner\\tmember\\tsample\\tpatient\\n' > ${meta.id}.members.tsv
    printf 'model\\trepeat\\tfold\\tinner\\tn_train\\tn_stop\\tn_test\\tstatus\\treason\\tsetting\\tepochs\\tbest_epoch\\tstop_loss\\n' > ${meta.id}.training.tsv
    printf 'model\\trepeat\\tfold\\tinner\\tepoch\\ttrain_loss\\tstop_loss\\n' > ${meta.id}.curves.tsv
    printf 'model\\trepeat\\tfold\\tinner\\ttrial\\tstate\\tchosen\\tscore\\tfolds\\tfold_scores\\tdata\\n' > ${meta.id}.trials.tsv
    printf 'model\\trepeat\\tfold\\tinner\\tparameter\\timportance\\tn_trials\\n' > ${meta.id}.trials_importance.tsv
    """
}

// Layers are read from disk where they would take more than a few GB, so that what they take is bounded; a
// network of genes is held whole: 340 bytes an edge were enough with two networks a fit (docs/performance.md), of
// which 120 are reckoned for each of them; an edge is a line of 12 bytes, 3 if compressed.
def memoryFor(network, ensemble) {
    def edges = [network].flatten().sum { table -> table.size().intdiv(table.name.endsWith('.gz') ? 3 : 12) } ?: 0
    return [8.GB, 4.GB + 1.B * (100 + 120 * (ensemble as int)) * edges].max()
}
