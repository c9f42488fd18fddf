process ENRICH {
    tag "${gene_sets.collect { gmt -> gmt.name }.join(' ')}"
    label 'process_low'

    input:
    path importance                                          // of every network
    path gene_sets, stageAs: 'gene_sets/*', arity: '1..*'    // GMT files
    val seed
    val code

    output:
    path 'enrichment.tsv', emit: enrichment
    path 'enrichment_notes.tsv', emit: notes
    tuple val(task.process), val('gseapy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'gseapy\'))"'), topic: versions

    script:
    """
    export OMP_NUM_THREADS=${task.cpus} RAYON_NUM_THREADS=${task.cpus}
    enrich.py \\
        --importance ${importance} \\
        --gene_sets ${gene_sets} \\
        --seed ${seed}
    """

    stub:
    """
    printf 'model\\toutput\\tlayer\\tgene_set_file\\tterm\\tes\\tnes\\tp\\tfdr\\tn_genes\\tleading_edge\\n' > enrichment.tsv
    printf 'model\\toutput\\tlayer\\tnote\\n' > enrichment_notes.tsv
    """
}
