//
// Look at the layers and at the splits, and change nothing: quality, concordance, guards against leakage.
//
include { CONCORDANCE } from '../../../modules/local/concordance/main'
include { GUARD       } from '../../../modules/local/guard/main'
include { QC          } from '../../../modules/local/qc/main'
include { codeOf      } from '../provenance/main'

workflow EXAMINE {
    take:
    layers     // [ meta(id, layer, kind), [ h5ad of each cohort ] ]
    samples    // samples.tsv, once nothing is wrong
    covariates // covariates.tsv, or nothing
    splits     // splits.tsv
    duplicates // [ duplicates.tsv of each layer ]
    pretrained // [ encoders.h5 ], may be empty
    options    // map: the parameters of the run

    main:
    // [ h5ad of every layer and cohort ]
    ch_all = layers
        .flatMap { _meta, files -> files }
        .toSortedList { left, right -> left.name <=> right.name }
        .filter { files -> files }

    QC(ch_all, samples, covariates, codeOf('qc.py'))

    CONCORDANCE(ch_all, samples, options.seed, codeOf('concordance.py'))

    GUARD(ch_all, samples, splits, duplicates, pretrained, options.subMap(['task', 'split', 'seed']), codeOf('guard.py'))

    qc          = QC.out.tables.flatten()
    concordance = CONCORDANCE.out.tables.flatten()
    guards      = GUARD.out.guards

    emit:
    qc          // qc_samples.tsv and the like, of each layer
    concordance // concordance.tsv, swaps.tsv, network.tsv, hubs.tsv
    guards      // guards.tsv
}
