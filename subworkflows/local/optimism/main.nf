//
// Optimism: the same models with the usual mistakes, and what they would have claimed.
//
include { CLAIM                             } from '../../../modules/local/claim/main'
include { LOOK_AHEAD                        } from '../../../modules/local/look_ahead/main'
include { PREPROCESS as PREPROCESS_OPTIMISM } from '../../../modules/local/preprocess/main'
include { TRAIN as TRAIN_OPTIMISM           } from '../../../modules/local/train/main'
include { codeOf                            } from '../provenance/main'
include { isNetwork                         } from '../parameters/main'
include { mistakesOf                        } from '../parameters/main'
include { readingsOf                        } from '../parameters/main'
include { preprocessTasks                   } from '../tasks/main'
include { protectsCovariates                } from '../tasks/main'
include { trainOptions                      } from '../tasks/main'
include { trainTasks                        } from '../tasks/main'

workflow OPTIMISM {
    take:
    by_layer   // [ meta(id, layer, kind), [ h5ad of each cohort ] ]
    recipes    // [ layer, recipe (JSON), protects covariates?, names, [ the files they name ] ]
    settled    // recipe.json of each layer
    covariates // covariates.tsv, or nothing
    n_layers   // number of layers
    splitting  // map: samples (samples.tsv), splits (splits.tsv), horizons (horizons.tsv, or nothing)
    predicted  // predictions.tsv of the run
    known      // map: gene_sets, network, positions, studies, pretrained, each [ file ], may be empty
    options    // map: the parameters of the run

    main:
    mistakes = mistakesOf(options)

    LOOK_AHEAD(
        channel.fromList(mistakes),
        splitting.samples,
        splitting.splits,
        settled.toSortedList { left, right -> left.name <=> right.name },
        options.task,
        codeOf('look_ahead.py')
    )

    // What a batch correction protects are not the run's covariates but the outcome.
    ch_tasks = mistakes.inject(channel.empty()) { all, mistake ->
        def groups = LOOK_AHEAD.out.scopes.filter { made -> made[0] == mistake }.map { made -> made[1] }
        def changed = LOOK_AHEAD.out.recipes
            .filter { made -> made[0] == mistake }
            .flatMap { _mistake, files -> [files].flatten().collect { file -> [file.name - '.recipe.json', file.text.trim()] } }
            .join(recipes)
            .map { layer, recipe, _own, _protects, names, tables -> [layer, recipe, protectsCovariates(recipe), names, tables] }
        all.mix(preprocessTasks(by_layer, changed, groups, mistake == 'batch' ? LOOK_AHEAD.out.covariates : covariates))
    }

    // [ group, scopes for PREPROCESS, for TRAIN of shallow models, for TRAIN of networks ] of each group of each mistake
    tables = LOOK_AHEAD.out.scopes
        .map { made -> made.drop(1) }
        .splitCsv(header: true, sep: '\t', elem: 0)
        .map { row, prepare, train, networks -> [row.group, prepare, train, networks] }

    // A task and the tables of its own mistake go side by side.
    preprocess = ch_tasks
        .map { task -> [task[0].group, task] }
        .combine(tables, by: 0)
        .multiMap { _group, task, prepare, _train, _networks ->
            tasks: task
            splits: prepare
        }

    PREPROCESS_OPTIMISM(preprocess.tasks, preprocess.splits, splitting.samples, options.task, codeOf('preprocess.py'))

    // Trials of an earlier run were scored on other folds.
    train = trainTasks(PREPROCESS_OPTIMISM.out.matrices, n_layers, readingsOf(options, known + [studies: []]))
        .map { task -> [task[0].group, task] }
        .combine(tables, by: 0)
        .multiMap { _group, task, _prepare, shallow, networks ->
            tasks: task
            splits: isNetwork(task[0].model) ? networks : shallow
        }

    TRAIN_OPTIMISM(train.tasks, train.splits, splitting.samples, splitting.horizons, trainOptions(options), codeOf('train.py'))

    CLAIM(
        predicted.filter { _table -> mistakes },
        TRAIN_OPTIMISM.out.predictions
            .map { _meta, table -> table }
            .toSortedList { left, right -> left.name <=> right.name },
        options.subMap(['task']) + [mistakes: mistakes],
        codeOf('claim.py')
    )

    optimism = CLAIM.out.optimism

    emit:
    optimism // optimism.tsv; nothing without --show_optimism
}
