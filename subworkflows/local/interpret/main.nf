//
// Say what the networks' predictions rest on: features, and sets of genes.
//
include { ENRICH    } from '../../../modules/local/enrich/main'
include { EXPLAIN   } from '../../../modules/local/explain/main'
include { codeOf    } from '../provenance/main'
include { isNetwork } from '../parameters/main'

workflow INTERPRET {
    take:
    models    // [ meta(id, model, group), folder ]
    matrices  // [ meta(id, layer, kind, group), matrices.h5 ]
    splits    // splits.tsv
    gene_sets // [ GMT file ], may be empty
    options   // map: the parameters of the run

    main:
    // [ meta(id, model), [ folder of each group ] ]
    ch_networks = models
        .filter { meta, _folder -> isNetwork(meta.model) }
        .map { meta, folder -> [meta.model, folder] }
        .groupTuple()
        .map { model, folders -> [[id: model, model: model], folders.sort { folder -> folder.name }] }

    ch_matrices = matrices.map { _meta, matrix -> matrix }.toSortedList { left, right -> left.name <=> right.name }

    EXPLAIN(ch_networks, ch_matrices, splits, options.subMap(['seed', 'gpu']), codeOf('explain.py'))

    ch_importance = EXPLAIN.out.importance
        .map { _meta, table -> table }
        .toSortedList { left, right -> left.name <=> right.name }
        .filter { tables -> tables && gene_sets }

    ENRICH(ch_importance, gene_sets, options.seed, codeOf('enrich.py'))

    explain = EXPLAIN.out.importance.map { _meta, table -> table }.mix(EXPLAIN.out.additivity)
    enrich  = ENRICH.out.enrichment.mix(ENRICH.out.notes)

    emit:
    explain // importance.tsv, additivity.tsv
    enrich  // enrichment.tsv, enrichment_notes.tsv
}
