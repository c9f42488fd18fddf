//
// The negative control: the whole chain again, from splitting to training, on permuted outcomes. And once more
// with the covariates gone the same way as the outcome, so that the omics alone are permuted.
//
include { PERMUTE                                   } from '../../../modules/local/permute/main'
include { PREPROCESS as PREPROCESS_NEGATIVE_CONTROL } from '../../../modules/local/preprocess/main'
include { PREPROCESS as PREPROCESS_OMICS_CONTROL    } from '../../../modules/local/preprocess/main'
include { TRAIN as TRAIN_NEGATIVE_CONTROL           } from '../../../modules/local/train/main'
include { TRAIN as TRAIN_OMICS_CONTROL              } from '../../../modules/local/train/main'
include { codeOf                                    } from '../provenance/main'
include { modelsWithCovariates                      } from '../parameters/main'
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
    with_covariates = modelsWithCovariates(options)
    clinical = by_layer
        .filter { meta, _files -> meta.layer == 'clinical' && with_covariates }
        .map { _meta, files -> files }
        .toList()
        .map { files -> files.flatten() }

    PERMUTE(
        channel.fromList((1..<(options.negative_control + 1)).toList()),
        splitting.samples,
        splitting.duplicates,
        clinical,
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

    preprocess = preprocessTasks(by_layer, recipes, PERMUTE.out.permuted.map { groups, _samples, _splits -> groups }, covariates)
    of_outcome = besideTables(preprocess, tables)

    PREPROCESS_NEGATIVE_CONTROL(of_outcome.tasks, of_outcome.splits, of_outcome.samples, options.task, codeOf('preprocess.py'))

    // The layer of the covariates once more, of each control as PERMUTE wrote it.
    moved = PERMUTE.out.clinical
        .splitCsv(header: true, sep: '\t', elem: 0)
        .map { row, files -> [row.group, files] }
    of_omics = besideTables(
        preprocess
            .filter { task -> task[0].layer == 'clinical' }
            .map { task -> [task[0].group, task] }
            .combine(moved, by: 0)
            .map { _group, task, files -> [task[0], files] + task.drop(2) },
        tables
    )

    PREPROCESS_OMICS_CONTROL(of_omics.tasks, of_omics.splits, of_omics.samples, options.task, codeOf('preprocess.py'))

    // Trials of an earlier run are of the real outcome.
    readings = readingsOf(options, known + [studies: []])
    matrices = PREPROCESS_NEGATIVE_CONTROL.out.matrices
    train = besideTables(trainTasks(matrices, n_layers, readings), tables)

    TRAIN_NEGATIVE_CONTROL(train.tasks, train.splits, train.samples, splitting.horizons, trainOptions(options), codeOf('train.py'))

    permuted_omics = matrices
        .filter { meta, _matrix -> meta.layer != 'clinical' }
        .mix(PREPROCESS_OMICS_CONTROL.out.matrices)
        .filter { _meta, _matrix -> with_covariates }
    train_omics = besideTables(trainTasks(permuted_omics, n_layers, readings.findAll { reading -> reading[0] in with_covariates }), tables)

    TRAIN_OMICS_CONTROL(train_omics.tasks, train_omics.splits, train_omics.samples, splitting.horizons, trainOptions(options), codeOf('train.py'))

    PERMUTE.out.account.collectFile(name: 'permutations.tsv', keepHeader: true, skip: 1, sort: { table -> table.name }, storeDir: "${options.outdir}/splits")

    predictions       = TRAIN_NEGATIVE_CONTROL.out.predictions
    omics_predictions = TRAIN_OMICS_CONTROL.out.predictions

    emit:
    predictions       // [ meta(id, model, group), predictions.tsv ]; nothing without --negative_control
    omics_predictions // the same with permuted omics, of the models that see covariates
}

// Put the tables of its own control beside each task: channels tasks, samples (samples.tsv) and splits (splits.tsv).
def besideTables(tasks, tables) {
    return tasks
        .map { task -> [task[0].group, task] }
        .combine(tables, by: 0)
        .multiMap { _group, task, samples, splits ->
            tasks: task
            samples: samples
            splits: splits
        }
}
