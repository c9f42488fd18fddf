//
// Train every model on every group of scopes, and say what the predictions are worth.
//
include { ASSESS   } from '../../../modules/local/assess/main'
include { TRAIN    } from '../../../modules/local/train/main'
include { memoryFor } from '../../../modules/local/train/main'
include { codeOf   } from '../provenance/main'
include { modelsOf } from '../parameters/main'
include { readBy   } from '../parameters/main'
include { takesPretrained } from '../parameters/main'

workflow LEARN {
    take:
    matrices // [ meta(id, layer, kind, group), matrices.h5 ]
    n_layers // number of layers
    splits   // splits.tsv
    samples  // samples.tsv
    horizons // horizons.tsv, or nothing
    known    // map: gene_sets, network, positions, studies, pretrained, each [ file ], may be empty
    options  // map: the parameters of the run

    main:
    // [ meta(id, model, group), [ matrices.h5 of each layer ], [ gene sets ], [ network ], [ positions ], [ studies ], [ encoders ] ]:
    // a group starts when its layers are there; a model gets only the files that it reads, and its own studies
    ch_tasks = matrices
        .combine(n_layers)
        .map { meta, matrix, n -> [groupKey(meta.group, n), matrix] }
        .groupTuple()
        .map { group, found -> [group.toString(), found.sort { matrix -> matrix.name }] }
        .combine(channel.fromList(modelsOf(options)))
        .map { group, found, model -> [[id: "${model}.${group}".toString(), model: model, group: group], found] }
        .map { meta, found ->
            def mine = readBy(meta.model)
            if (mine.contains('network')) {
                log.info("TRAIN ${meta.id} asks for ${memoryFor(known.network)} of memory, by the size of the network of genes.")
            }
            def read = ['gene_sets', 'network', 'positions'].collect { name -> mine.contains(name) ? known[name] : [] }
            def encoders = takesPretrained(meta.model) ? known.pretrained : []
            [meta, found] + read + [known.studies.findAll { table -> table.name.startsWith("${meta.model}.") }, encoders]
        }

    TRAIN(ch_tasks, splits, samples, horizons, options.subMap(['task', 'target', 'seed', 'head', 'class_order', 'ensemble', 'distil', 'settings', 'trials', 'tuning_minutes', 'gpu']), codeOf('train.py'))

    ASSESS(
        TRAIN.out.predictions
            .map { _meta, table -> table }
            .toSortedList { left, right -> left.name <=> right.name }
            .filter { tables -> tables },
        samples,
        options.subMap(['task', 'seed']),
        codeOf('assess.py')
    )

    models      = TRAIN.out.models
    logs        = TRAIN.out.training.mix(TRAIN.out.curves, TRAIN.out.trials, TRAIN.out.trials_importance)
    predictions = ASSESS.out.predictions
    assess      = ASSESS.out.tables

    emit:
    models      // [ meta(id, model, group), folder ]
    logs        // training.tsv, curves.tsv, trials.tsv, trials_importance.tsv
    predictions // predictions.tsv
    assess      // metrics.tsv and the like
}
