#!/usr/bin/env nextflow
//
// omicsfusion: from omics layers of the same patients to a prediction, and to what it is worth.
//
include { CONTROL           } from './subworkflows/local/control/main'
include { CURVE             } from './subworkflows/local/curve/main'
include { EXAMINE           } from './subworkflows/local/examine/main'
include { INPUT             } from './subworkflows/local/input/main'
include { INTERPRET         } from './subworkflows/local/interpret/main'
include { LEARN             } from './subworkflows/local/learn/main'
include { OPTIMISM          } from './subworkflows/local/optimism/main'
include { PREPARE           } from './subworkflows/local/prepare/main'
include { PRETRAIN          } from './modules/local/pretrain/main'
include { RECORD            } from './subworkflows/local/provenance/main'
include { REPORT            } from './modules/local/report/main'
include { SELFTEST          } from './modules/local/selftest/main'
include { codeOf            } from './subworkflows/local/provenance/main'
include { helpText          } from './subworkflows/local/parameters/main'
include { mistakesOf        } from './subworkflows/local/parameters/main'
include { parameterProblems } from './subworkflows/local/parameters/main'

// The whole way: check, import, split, preprocess, train, assess, explain, report.
workflow OMICSFUSION {
    take:
    options // map: the parameters of the run

    main:
    known = ['gene_sets', 'network', 'positions', 'pretrained'].collectEntries { name -> [(name): filesOf(options[name])] } + [studies: studiesIn(options.studies)]

    preprocess = options.preprocess ? file(options.preprocess, checkIfExists: true) : []

    INPUT(file(options.input), file(options.samples), preprocess, options)
    INPUT.out.gate.combine(INPUT.out.plan).subscribe { plan, figures -> log.info(plan.text + controlsInPlan(figures, options.negative_control) + mistakesInPlan(figures, options)) }
    ch_gate = INPUT.out.gate.filter { _plan -> options.step == 'train' }

    PREPARE(ch_gate, INPUT.out.layers, INPUT.out.samples, INPUT.out.recipes, INPUT.out.covariates, options)
    EXAMINE(PREPARE.out.by_layer, PREPARE.out.checked, INPUT.out.covariates, PREPARE.out.splits, PREPARE.out.duplicates, known.pretrained, options)
    CONTROL(
        PREPARE.out.by_layer,
        INPUT.out.recipes,
        INPUT.out.covariates,
        INPUT.out.n_layers,
        [samples: PREPARE.out.checked, duplicates: PREPARE.out.duplicates, horizons: PREPARE.out.horizons],
        known,
        options
    )
    LEARN(
        PREPARE.out.matrices,
        INPUT.out.n_layers,
        PREPARE.out.splits,
        PREPARE.out.checked,
        PREPARE.out.horizons,
        CONTROL.out.predictions,
        CONTROL.out.omics_predictions,
        known,
        options
    )
    CURVE(
        PREPARE.out.by_layer,
        INPUT.out.recipes,
        INPUT.out.covariates,
        INPUT.out.n_layers,
        [samples: PREPARE.out.checked, splits: PREPARE.out.splits, duplicates: PREPARE.out.duplicates, horizons: PREPARE.out.horizons],
        LEARN.out.predictions,
        known,
        options
    )
    OPTIMISM(
        PREPARE.out.by_layer,
        INPUT.out.recipes,
        INPUT.out.settled,
        INPUT.out.covariates,
        INPUT.out.n_layers,
        [samples: PREPARE.out.checked, splits: PREPARE.out.splits, horizons: PREPARE.out.horizons],
        LEARN.out.predictions,
        known,
        options
    )
    INTERPRET(LEARN.out.models, PREPARE.out.matrices, PREPARE.out.splits, known.gene_sets, options)

    LOOK(channel.of(options.gpu).filter { wish -> wish != 'none' && options.step == 'train' })
    RECORD(options)

    REPORT(
        sorted(INPUT.out.tables),
        sorted(EXAMINE.out.qc.mix(EXAMINE.out.concordance, EXAMINE.out.guards, PREPARE.out.summaries)),
        PREPARE.out.splits,
        sorted(PREPARE.out.tables.mix(INPUT.out.settled)),
        sorted(LEARN.out.logs),
        LEARN.out.predictions,
        sorted(LEARN.out.assess.flatten().mix(CURVE.out.curve, OPTIMISM.out.optimism)),
        sorted(INTERPRET.out.explain),
        sorted(INTERPRET.out.enrich),
        RECORD.out.parameters,
        codeOf('report.py')
    )
}

// Encoders that another cohort may begin from: check, import, preprocess on all samples, train without an outcome.
workflow PRETRAINING {
    take:
    given // map: the parameters of the run

    main:
    // Nothing is predicted and nobody is tested: what says how is of no account.
    options = given + [task: 'none', target: null, class_order: null, models: '', split: 'kfold', horizons: null, folds_per_task: 0]
    preprocess = options.preprocess ? file(options.preprocess, checkIfExists: true) : []

    INPUT(file(options.input), file(options.samples), preprocess, options)
    INPUT.out.gate.subscribe { plan -> log.info(plan.text) }

    PREPARE(INPUT.out.gate, INPUT.out.layers, INPUT.out.samples, INPUT.out.recipes, INPUT.out.covariates, options)
    PRETRAIN(
        sorted(PREPARE.out.matrices.map { _meta, matrix -> matrix }).filter { matrices -> matrices },
        PREPARE.out.splits,
        [objective: options.pretrain_objective] + options.subMap(['seed', 'ensemble', 'settings', 'gpu']),
        codeOf('pretrain.py')
    )

    LOOK(channel.of(options.gpu).filter { wish -> wish != 'none' })
    RECORD(options)
}

// The page anew, from the tables of an earlier run.
workflow REPORT_AGAIN {
    take:
    outdir // path: results of an earlier run

    main:
    REPORT(
        published(outdir, 'input/*.{tsv,json}'),
        published(outdir, 'qc/*.tsv'),
        published(outdir, 'splits/splits.tsv'),
        published(outdir, 'preprocess/*.{tsv,json}'),
        published(outdir, 'models/*.tsv'),
        published(outdir, 'predictions/predictions.tsv'),
        published(outdir, 'assess/*.{tsv,json}'),
        published(outdir, 'explain/*.tsv'),
        published(outdir, 'enrich/*.tsv'),
        published(outdir, 'pipeline_info/params.json'),
        codeOf('report.py')
    )
}

// Say what networks will be computed on. A run that requires a GPU ends here where there is none.
workflow LOOK {
    take:
    wishes // none, allowed or required

    main:
    SELFTEST(wishes, codeOf('selftest.py'))
    SELFTEST.out.line.subscribe { line -> log.info(line.text.trim()) }
}

workflow {
    main:
    problems = params.help ? [] : parameterProblems(params)
    if (params.help) {
        log.info(helpText())
    }
    else if (problems) {
        error("The parameters have ${problems.size()} problem(s):\n${problems.collect { text -> "  - ${text}" }.join('\n')}\n")
    }
    else if (params.step == 'report') {
        REPORT_AGAIN(file(params.outdir))
    }
    else if (params.step == 'selftest') {
        LOOK(channel.of(params.gpu))
    }
    else if (params.step == 'pretrain') {
        PRETRAINING(new LinkedHashMap(params))
    }
    else {
        OMICSFUSION(new LinkedHashMap(params))
    }

    workflow.onComplete = {
        if (workflow.success && !params.help && params.step in ['train', 'report']) {
            log.info("Report: ${params.outdir}/report/omicsfusion_report.html")
        }
        if (workflow.success && !params.help && params.step == 'pretrain') {
            log.info("Encoders: ${params.outdir}/pretrained/encoders.h5. Another cohort begins from them with --pretrained.")
        }
    }
}

// What --negative_control adds to the plan. CHECK_INPUT is not told how many are asked for, so that a
// finished run gets its controls with -resume.
def controlsInPlan(figures, n) {
    def one = new groovy.json.JsonSlurper().parseText(figures.text).negative_control
    return n && one
        ? "\n--negative_control ${n} adds ${n * one.tasks} tasks, ${n * one.fits} fits and about ${Math.ceil(n * one.seconds / 60).toInteger()} min.\n".toString()
        : ''
}

// What --show_optimism adds to the plan, as controls do: with each mistake the training sets of a control
// or, where settings are tuned on the test folds, fewer.
def mistakesInPlan(figures, Map options) {
    def one = new groovy.json.JsonSlurper().parseText(figures.text).negative_control
    def n = mistakesOf(options).size()
    return n && one
        ? "\n--show_optimism adds at most ${n * one.fits} fits and about ${Math.ceil(n * one.seconds / 60).toInteger()} min.\n".toString()
        : ''
}

// Files in one list, in the order of their names, so that the report is cached whatever came first.
def sorted(files) {
    return files.toSortedList { left, right -> left.name <=> right.name }
}

// What an earlier run published under a name; the report runs when the predictions are there.
def published(outdir, String pattern) {
    def found = files("${outdir}/${pattern}").sort { path -> path.name }
    if (!found && pattern.startsWith('predictions')) {
        error("--step report: there is no ${pattern} in ${outdir}. Give the --outdir of a finished run.")
    }
    return found
}

// The files that a parameter names, separated by commas.
// The tables of trials that an earlier run published, if one is named.
def studiesIn(Object folder) {
    def found = folder ? files("${folder}/*.trials.tsv").sort { table -> table.name } : []
    if (folder && !found) {
        error("--studies: there is no *.trials.tsv in ${folder}. Give the models folder of a run with --trials.")
    }
    return found
}

def filesOf(Object paths) {
    return (paths ?: '').tokenize(',').collect { path -> file(path.trim(), checkIfExists: true) }
}
