//
// Train every model on every group of scopes, and say what the predictions are worth.
//
include { ASSESS          } from '../../../modules/local/assess/main'
include { TRAIN           } from '../../../modules/local/train/main'
include { memoryFor       } from '../../../modules/local/train/main'
include { codeOf          } from '../provenance/main'
include { networkFamilies } from '../parameters/main'
include { readingsOf      } from '../parameters/main'
include { trainOptions    } from '../tasks/main'
include { trainTasks      } from '../tasks/main'

workflow LEARN {
    take:
    matrices // [ meta(id, layer, kind, group), matrices.h5 ]
    n_layers // number of layers
    splits   // splits.tsv
    samples  // samples.tsv
    horizons // horizons.tsv, or nothing
    controls // [ meta(id, model, group), predictions.tsv ] of models of permuted outcomes
    omics_controls // the same of permuted omics
    known    // map: gene_sets, network, positions, studies, pretrained, each [ file ], may be empty
    options  // map: the parameters of the run

    main:
    ch_tasks = trainTasks(matrices, n_layers, readingsOf(options, known)).map { task ->
        if (task[3]) {
            log.info("TRAIN ${task[0].id} asks for ${memoryFor(task[3], options.ensemble)} of memory, by the size of the network of genes.")
        }
        task
    }

    TRAIN(ch_tasks, splits, samples, horizons, trainOptions(options), codeOf('train.py'))

    ASSESS(
        TRAIN.out.predictions
            .mix(controls)
            .map { _meta, table -> table }
            .toSortedList { left, right -> left.name <=> right.name }
            .filter { tables -> tables },
        TRAIN.out.members.toSortedList { left, right -> left.name <=> right.name },
        omics_controls.map { _meta, table -> table }.toSortedList { left, right -> left.name <=> right.name },
        samples,
        options.site_verdict ? file(options.site_verdict, checkIfExists: true) : [],
        options.subMap(['task', 'seed', 'split', 'margin', 'equivalence', 'trials', 'label_source']) + [networks: networkFamilies()],
        codeOf('assess.py')
    )

    models      = TRAIN.out.models
    logs        = TRAIN.out.training.mix(TRAIN.out.curves, TRAIN.out.trials, TRAIN.out.trials_importance)
    predictions = ASSESS.out.predictions
    assess      = ASSESS.out.tables.mix(ASSESS.out.verdict)

    emit:
    models      // [ meta(id, model, group), folder ]
    logs        // training.tsv, curves.tsv, trials.tsv, trials_importance.tsv
    predictions // predictions.tsv
    assess      // metrics.tsv and the like, verdict.json
}
