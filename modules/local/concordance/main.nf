process CONCORDANCE {
    tag "${layers.size()} tables"
    label 'process_low' // 1.9 GB and 23 s for two layers of 5,000 features in 800 samples; each further pair of layers 23 s

    input:
    path layers, arity: '1..*' // every layer of every cohort
    path samples
    val seed
    val code

    output:
    path '{concordance,swaps,network,hubs}.tsv', emit: tables
    path 'network.graphml', emit: graph
    tuple val(task.process), val('scipy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scipy\'))"'), topic: versions
    tuple val(task.process), val('networkx'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'networkx\'))"'), topic: versions

    script:
    """
    export OMP_NUM_THREADS=${task.cpus} OPENBLAS_NUM_THREADS=${task.cpus}
    concordance.py \\
        --files ${layers} \\
        --samples ${samples} \\
        --seed ${seed}
    """

    stub:
    """
    printf 'layer\\tother\\tcohort\\tn_samples\\tn_pairs\\tjudged\\tmedian_own_rank\\tshare_own_best\\tauc\\tnote\\n' > concordance.tsv
    printf 'layer\\tother\\tcohort\\tsample\\tpatient\\town_similarity\\town_rank\\tn\\tbest_match\\tbest_similarity\\tswapped_with\\tflag\\treason\\n' > swaps.tsv
    printf 'layer\\tfeature\\tother_layer\\tother_feature\\trho\\tp\\tfdr\\tn\\n' > network.tsv
    printf 'layer\\tfeature\\tdegree\\tn_layers\\trank\\n' > hubs.tsv
    printf '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="undirected"/></graphml>\\n' > network.graphml
    """
}
