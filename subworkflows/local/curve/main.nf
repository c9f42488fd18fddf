//
// The learning curve: train every model on shares of the patients, too, and score them beside the whole.
//
include { LEARNING_CURVE                          } from '../../../modules/local/learning_curve/main'
include { LEARNING_SPLITS                         } from '../../../modules/local/learning_splits/main'
include { PREPROCESS as PREPROCESS_LEARNING_CURVE } from '../../../modules/local/preprocess/main'
include { TRAIN as TRAIN_LEARNING_CURVE           } from '../../../modules/local/train/main'
include { codeOf                                  } from '../provenance/main'
include { readingsOf                              } from '../parameters/main'
include { preprocessTasks                         } from '../tasks/main'
include { trainOptions                            } from '../tasks/main'
include { trainTasks                              } from '../tasks/main'

workflow CURVE {
    take:
    by_layer   // [ meta(id, layer, kind), [ h5ad of each cohort ] ]
    recipes    // [ layer, recipe (JSON), protects covariates?, names, [ the files they name ] ]
    covariates // covariates.tsv, or nothing
    n_layers   // number of layers
    splitting  // map: samples (samples.tsv), splits (splits.tsv), duplicates ([ duplicates.tsv ]), horizons (horizons.tsv, or nothing)
    predicted  // predictions.tsv of the run
    known      // map: gene_sets, network, positions, studies, each [ file ], may be empty
    options    // map: the parameters of the run

    main:
    LEARNING_SPLITS(
        splitting.samples,
        splitting.splits.filter { _table -> options.learning_curve },
        splitting.duplicates,
        options.subMap(['task', 'inner_folds', 'folds_per_task', 'seed']),
        codeOf('learning_splits.py')
    )

    LEARNING_SPLITS.out.shares
        .splitCsv(header: true, sep: '\t')
        .filter { row -> row.reason }
        .subscribe { row -> log.warn("--learning_curve leaves out ${Math.round(row.share.toDouble() * 100)} % of the patients: ${row.reason}.") }

    PREPROCESS_LEARNING_CURVE(
        preprocessTasks(by_layer, recipes, LEARNING_SPLITS.out.groups, covariates),
        LEARNING_SPLITS.out.splits,
        splitting.samples,
        options.task,
        codeOf('preprocess.py')
    )

    // Trials of an earlier run are of other samples than the shares.
    TRAIN_LEARNING_CURVE(
        trainTasks(PREPROCESS_LEARNING_CURVE.out.matrices, n_layers, readingsOf(options, known + [studies: []])),
        LEARNING_SPLITS.out.splits,
        splitting.samples,
        splitting.horizons,
        trainOptions(options),
        codeOf('train.py')
    )

    LEARNING_CURVE(
        predicted,
        TRAIN_LEARNING_CURVE.out.predictions
            .map { _meta, table -> table }
            .toSortedList { left, right -> left.name <=> right.name },
        LEARNING_SPLITS.out.groups,
        LEARNING_SPLITS.out.shares,
        options.subMap(['task', 'seed']),
        codeOf('learning_curve.py')
    )

    curve = LEARNING_CURVE.out.curve

    emit:
    curve // learning_curve.tsv; nothing without --learning_curve
}
