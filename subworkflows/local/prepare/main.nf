//
// Split the samples, and fit and apply each layer's chain on every training set.
//
include { FIND_DUPLICATES } from '../../../modules/local/find_duplicates/main'
include { PREPROCESS      } from '../../../modules/local/preprocess/main'
include { SPLIT           } from '../../../modules/local/split/main'
include { codeOf          } from '../provenance/main'
include { preprocessTasks } from '../tasks/main'

workflow PREPARE {
    take:
    gate       // plan.txt: comes only when nothing is wrong with the input
    layers     // [ meta(id, cohort, layer, kind), h5ad ]
    samples    // samples.tsv
    recipes    // [ layer, recipe (JSON), protects covariates?, names, [ the files they name ] ]
    covariates // covariates.tsv, or nothing
    options    // map: the parameters of the run

    main:
    checked = samples.combine(gate).map { table, _plan -> table }.first()

    // [ meta(id, layer, kind), [ h5ad of each cohort ] ]
    by_layer = layers
        .map { meta, layer -> [meta.layer, [meta, layer]] }
        .groupTuple()
        .combine(gate)
        .map { name, found, _plan ->
            def cohorts = found.sort { entry -> entry[0].id }
            [[id: name, layer: name, kind: cohorts[0][0].kind], cohorts.collect { entry -> entry[1] }]
        }

    FIND_DUPLICATES(by_layer.filter { meta, _files -> meta.kind != 'clinical' }, checked, codeOf('find_duplicates.py'))

    ch_duplicates = FIND_DUPLICATES.out.duplicates
        .map { _meta, table -> table }
        .toSortedList { left, right -> left.name <=> right.name }
        .filter { tables -> tables }

    SPLIT(
        checked,
        ch_duplicates,
        options.subMap(['task', 'split', 'folds', 'repeats', 'inner_folds', 'folds_per_task', 'seed', 'horizons']),
        codeOf('split.py')
    )

    PREPROCESS(preprocessTasks(by_layer, recipes, SPLIT.out.groups, covariates), SPLIT.out.splits, checked, options.task, codeOf('preprocess.py'))

    splits     = SPLIT.out.splits
    horizons   = SPLIT.out.horizons.ifEmpty([])
    matrices   = PREPROCESS.out.matrices
    tables     = PREPROCESS.out.tables.flatten()
    duplicates = ch_duplicates
    summaries  = FIND_DUPLICATES.out.summary.mix(FIND_DUPLICATES.out.duplicates).map { _meta, table -> table }

    emit:
    checked    // samples.tsv, once nothing is wrong
    by_layer   // [ meta(id, layer, kind), [ h5ad of each cohort ] ]
    duplicates // [ duplicates.tsv of each layer ]
    summaries  // duplicates.tsv, duplicates_summary.tsv
    splits     // splits.tsv
    horizons   // horizons.tsv, or nothing
    matrices   // [ meta(id, layer, kind, group), matrices.h5 ]
    tables     // features.tsv, steps.tsv and the like, of each layer and group
}
