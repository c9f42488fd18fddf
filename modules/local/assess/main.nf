process ASSESS {
    tag "${options.task}"
    label 'process_low'

    input:
    path predictions  // of all models and groups
    path members      // of the single networks of each, and headers of what has none
    path omics_controls, stageAs: 'omics_controls/*', arity: '0..*' // predictions of models with permuted omics
    path samples
    path site_verdict // verdict.json of a run that left sites out, or nothing
    val options       // task, seed, split, networks, margin, equivalence, trials, label_source
    val code

    output:
    path 'predictions.tsv', emit: predictions
    path '{metrics,metrics_by_fold,metrics_by_pattern,seeds,comparison,omics_controls,ranks,roc,confusion,risk_groups,kaplan_meier,logrank,d_calibration}.tsv', emit: tables
    path 'verdict.json', emit: verdict
    tuple val(task.process), val('lifelines'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'lifelines\'))"'), topic: versions

    script:
    def label_source = options.label_source ? "--label_source '${options.label_source}'" : ''
    def permuted = omics_controls ? "--omics_controls ${omics_controls}" : ''
    def sites = site_verdict ? "--site_verdict ${site_verdict}" : ''
    """
    export OMP_NUM_THREADS=${task.cpus} OPENBLAS_NUM_THREADS=${task.cpus}
    assess.py \\
        --predictions ${predictions} \\
        --members ${members} \\
        --samples ${samples} \\
        --task ${options.task} \\
        --seed ${options.seed} \\
        --split '${options.split}' \\
        --networks ${options.networks.join(',')} \\
        --margin ${options.margin} \\
        --trials ${options.trials} \\
        --equivalence ${options.equivalence} ${label_source} ${sites} ${permuted}
    """

    stub:
    """
    touch predictions.tsv metrics.tsv metrics_by_fold.tsv metrics_by_pattern.tsv seeds.tsv comparison.tsv ranks.tsv
    echo '{"schema_version": 1, "targets": []}' > verdict.json
    """
}
