//
// Split the samples, and fit and apply each layer's chain on every training set.
//
include { PREPROCESS } from '../../../modules/local/preprocess/main'
include { SPLIT      } from '../../../modules/local/split/main'
include { codeOf     } from '../provenance/main'

workflow PREPARE {
    take:
    gate    // plan.txt: comes only when nothing is wrong with the input
    layers  // [ meta(id, cohort, layer, kind), h5ad ]
    samples // samples.tsv
    options // map: the parameters of the run

    main:
    checked = samples.combine(gate).map { table, _plan -> table }.first()

    SPLIT(
        checked,
        options.subMap(['task', 'split', 'folds', 'repeats', 'inner_folds', 'folds_per_task', 'seed', 'horizons']),
        codeOf('split.py')
    )

    // [ meta(id, layer, kind, group), [ h5ad of each cohort ] ]
    ch_layers = layers
        .map { meta, layer -> [meta.layer, [meta, layer]] }
        .groupTuple()
        .map { name, found -> [name, found.sort { entry -> entry[0].id }] }
        .combine(SPLIT.out.groups.splitCsv(header: true, sep: '\t'))
        .map { name, found, row ->
            def meta = [id: "${name}.${row.group}".toString(), layer: name, kind: found[0][0].kind, group: row.group]
            [meta, found.collect { entry -> entry[1] }]
        }

    PREPROCESS(ch_layers, SPLIT.out.splits, checked, codeOf('preprocess.py'))

    splits   = SPLIT.out.splits
    horizons = SPLIT.out.horizons.ifEmpty([])
    matrices = PREPROCESS.out.matrices
    features = PREPROCESS.out.features

    emit:
    checked  // samples.tsv, once nothing is wrong
    splits   // splits.tsv
    horizons // horizons.tsv, or nothing
    matrices // [ meta(id, layer, kind, group), matrices.h5 ]
    features // features.tsv
}
