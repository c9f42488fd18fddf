//
// The negative control: the whole chain again, from splitting to training, on permuted outcomes.
//
include { PERMUTE                                   } from '../../../modules/local/permute/main'
include { PREPROCESS as PREPROCESS_NEGATIVE_CONTROL } from '../../../modules/local/preprocess/main'
include { TRAIN as TRAIN_NEGATIVE_CONTROL           } from '../../../modules/local/train/main'
include { codeOf                                    } from '../provenance/main'
include { readingsOf                                } from '../parameters/main'
include { preprocessTasks                           } from '../tasks/main'
include { trainOptions                              } from '../tasks/main'
include { trainTasks                                } from '../tasks/main'

workflow CONTROL {
    take:
    by_layer   // [ meta(id, layer, kind), [ h5ad of each cohort ] ]
    recipes    // [ layer, recipe (JSON), protects covariates?, names, [ the files they name ] ]
    covariates // covariates.tsv, or nothing
    n_layers   // number of layers
    splitting  // map: samples (samples.tsv), duplicates ([ duplicates.tsv ]), horizons (horizons.tsv, or nothing)
    known      // map: gene_sets, network, positions, studies, pretrained, each [ file ], may be empty
    options    // map: the parameters of the run

    main:
    PERMUTE(
        channel.fromList((1..<(options.negative_control + 1)).toList()),
        splitting.samples,
        splitting.duplicates,
        options.subMap(['task', 'split', 'folds', 'inner_folds', 'folds_per_task', 'seed']),
        codeOf('permute.py')
    )

    PERMUTE.out.account
        .splitCsv(header: true, sep: '\t')
        .filter { row -> row.reason }
        .subscribe { row -> log.warn("--negative_control leaves out permutation ${row.permutation}: ${row.reason}") }

    // [ group, samples.tsv, splits.tsv ] of each group of each control
    tables = PERMUTE.out.permuted
        .splitCsv(header: true, sep: '\t', elem: 0)
        .map { row, samples, splits -> [row.group, samples, splits] }

    // A task and the tables of its own control go side by side.
    preprocess = preprocessTasks(by_layer, recipes, PERMUTE.out.permuted.map { groups, _samples, _splits -> groups }, covariates)
        .map { task -> [task[0].group, task] }
        .combine(tables, by: 0)
        .multiMap { _group, task, samples, splits ->
            tasks: task
            samples: samples
            splits: splits
        }

    PREPROCESS_NEGATIVE_CONTROL(preprocess.tasks, preprocess.splits, preprocess.samples, options.task, codeOf('preprocess.py'))

    // Trials of an earlier run are of the real outcome.
    train = trainTasks(PREPROCESS_NEGATIVE_CONTROL.out.matrices, n_layers, readingsOf(options, known + [studies: []]))
        .map { task -> [task[0].group, task] }
        .combine(tables, by: 0)
        .multiMap { _group, task, samples, splits ->
            tasks: task
            samples: samples
            splits: splits
        }

    TRAIN_NEGATIVE_CONTROL(train.tasks, train.splits, train.samples, splitting.horizons, trainOptions(options), codeOf('train.py'))

    PERMUTE.out.account.collectFile(name: 'permutations.tsv', keepHeader: true, skip: 1, sort: { table -> table.name }, storeDir: "${options.outdir}/splits")

    predictions = TRAIN_NEGATIVE_CONTROL.out.predictions

    emit:
    predictions // [ meta(id, model, group), predictions.tsv ]; nothing without --negative_control
}
