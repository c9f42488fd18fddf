//
// What the tasks of PREPROCESS and TRAIN are given, in the run itself and in its branches. This file
// includes nothing: parser v2 (25.04) refuses a file with includes that two others include.
//

// Make the tasks of PREPROCESS, one for each layer and group of scopes:
// [ meta(id, layer, kind, group), [ h5ad of each cohort ], recipe, names, [ the files they name ], [ covariates.tsv, if needed ] ]
def preprocessTasks(by_layer, recipes, groups, covariates) {
    return by_layer
        .map { meta, files -> [meta.layer, meta, files] }
        .join(recipes)
        .combine(groups.splitCsv(header: true, sep: '\t'))
        .combine(covariates.map { table -> [table] })
        .map { layer, meta, files, recipe, protects, names, tables, row, known ->
            def task = [id: "${layer}.${row.group}".toString(), layer: layer, kind: meta.kind, group: row.group]
            [task, files, recipe, names, tables, protects ? known : []]
        }
}

// Make the tasks of TRAIN, one for each model and group of scopes:
// [ meta(id, model, group), [ matrices.h5 of each layer ], [ gene sets ], [ network ], [ positions ], [ studies ], [ encoders ] ].
// A group starts when its layers are there. readings: [ model, [ gene sets ], [ network ], [ positions ], [ studies ], [ encoders ] ] of each model.
def trainTasks(matrices, n_layers, readings) {
    return matrices
        .combine(n_layers)
        .map { meta, matrix, n -> [groupKey(meta.group, n), matrix] }
        .groupTuple()
        .map { group, found -> [group.toString(), found.sort { matrix -> matrix.name }] }
        .flatMap { group, found ->
            readings.collect { reading -> [[id: "${reading[0]}.${group}".toString(), model: reading[0], group: group], found] + reading.drop(1) }
        }
}

// Tell whether a recipe (JSON) protects covariates from a batch correction, which then needs them.
def protectsCovariates(String recipe) {
    return new groovy.json.JsonSlurper().parseText(recipe).choices.any { choice -> choice.options?.protect }
}

// What shapes the training of all models.
def trainOptions(Map options) {
    return options.subMap(['task', 'target', 'seed', 'head', 'class_order', 'ensemble', 'mc_dropout', 'distil', 'settings', 'trials', 'tuning_minutes', 'gpu'])
}
