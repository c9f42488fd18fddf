//
// From the samplesheet to layers on disk: check what can be checked, import every layer, and stop
// with all problems together, or go on with none.
//
include { CHECK_INPUT        } from '../../../modules/local/check_input/main'
include { CHECK_RECIPES      } from '../../../modules/local/check_recipes/main'
include { IMPORT             } from '../../../modules/local/import/main'
include { codeOf             } from '../provenance/main'
include { layerProblems      } from '../parameters/main'
include { modelsOf           } from '../parameters/main'
include { protectsCovariates } from '../tasks/main'
include { rowsOf             } from '../parameters/main'

workflow INPUT {
    take:
    sheet         // path: the samplesheet
    samples_table // path: the table of samples
    preprocess    // path: how the user wants layers prepared, or []
    options       // map: the parameters of the run

    main:
    found = tablesOf(sheet)
    // As the sheet names them; a stub knows only the files' own names.
    by_name = found.collectEntries { _line, _name, table -> [(table.name): table] } + found.collectEntries { _line, name, table -> [(name): table] }

    CHECK_INPUT(
        sheet,
        samples_table,
        found.collect { _line, _name, table -> table },
        found.collect { line, _name, _table -> line },
        checkArguments(options),
        codeOf('check_input.py')
    )

    read = tablesOfRecipes(preprocess)

    CHECK_RECIPES(
        CHECK_INPUT.out.layers,
        preprocess,
        read*.get(1),
        read*.get(0),
        recipeArguments(options),
        codeOf('check_recipes.py')
    )

    // [ meta(id, cohort, layer, kind), rows, sample ids, [ table ] ]
    ch_tables = CHECK_INPUT.out.layers
        .splitCsv(header: true, sep: '\t')
        .combine(CHECK_INPUT.out.covariates.toList().map { files -> [files] })
        .map { row, covariates ->
            def meta = [id: "${row.cohort}.${row.layer}".toString(), cohort: row.cohort, layer: row.layer, kind: row.kind]
            [meta, row.rows, row.samples, row.sources == 'covariates' ? covariates : row.sources.tokenize(';').collect { name -> by_name[name] }]
        }

    IMPORT(ch_tables, codeOf('import.py'))

    ch_problems = CHECK_INPUT.out.problems.mix(CHECK_RECIPES.out.problems, IMPORT.out.problems)
    ch_names = CHECK_INPUT.out.layers.splitCsv(header: true, sep: '\t').map { row -> row.layer }.unique().toSortedList()

    // Comes once everything has been read, and only when nothing is wrong.
    gate = ch_problems
        .splitCsv(header: true, sep: '\t', quote: '"')
        .toSortedList { left, right -> left.text <=> right.text }
        .map { problems -> [problems] }
        .combine(ch_names.map { names -> [names] })
        .combine(CHECK_INPUT.out.plan_text)
        .map { problems, names, plan -> passGate(problems, names, plan, options) }

    plan       = CHECK_INPUT.out.plan
    layers     = IMPORT.out.layer
    n_layers   = ch_names.map { names -> names.size() }
    samples    = CHECK_INPUT.out.samples
    covariates = CHECK_INPUT.out.covariates.ifEmpty([])
    settled    = CHECK_RECIPES.out.recipes.flatten()
    recipes    = settled.map { file -> recipeOf(file, read) }
    tables     = CHECK_INPUT.out.layers.mix(
        CHECK_INPUT.out.samples,
        CHECK_INPUT.out.accounting,
        CHECK_INPUT.out.plan,
        ch_problems.collectFile(name: 'problems.tsv', keepHeader: true, skip: 1, sort: { table -> table.name }, storeDir: "${options.outdir}/input")
    )

    emit:
    gate       // plan.txt
    plan       // plan.json
    layers     // [ meta(id, cohort, layer, kind), h5ad ]
    n_layers   // number of layers
    samples    // samples.tsv
    covariates // covariates.tsv, or nothing
    recipes    // [ layer, recipe (JSON), protects covariates?, names, [ the files they name ] ]
    settled    // recipe.json of each layer
    tables     // layers.tsv, samples.tsv, sample_accounting.tsv, plan.json, problems.tsv
}

// List [ line, name, table ] of the samplesheet's tables that exist. Whatever is wrong with the sheet is
// for CHECK_INPUT to say, in full: this only finds the files to stage.
def tablesOf(sheet) {
    return rowsOf(sheet)
        .findAll { _line, cells -> cells.file }
        .collect { line, cells -> [line, cells.file, fileBeside(sheet, cells.file)] }
        .findAll { _line, _name, table -> table.isFile() }
}

def fileBeside(sheet, String name) {
    return name.startsWith('/') || name.contains('://') ? file(name, glob: false) : sheet.parent.resolve(name)
}

// List [ name, file ] of the files that the --preprocess file names and that exist, by name. Whatever is
// wrong with it is for CHECK_RECIPES to say.
def tablesOfRecipes(preprocess) {
    def names = preprocess ? namedIn(yamlOf(preprocess)).unique().sort() : []
    return names
        .collect { name -> [name, fileBeside(preprocess, name)] }
        .findAll { _name, table -> table.isFile() }
}

def yamlOf(path) {
    try {
        return new org.yaml.snakeyaml.Yaml().load(path.text)
    }
    catch (Exception _error) {
        return [:]
    }
}

// Every 'file:' in a tree of maps.
def namedIn(Object node) {
    if (!(node instanceof Map)) {
        return []
    }
    return node.collectMany { key, value -> key == 'file' && value instanceof CharSequence ? [value.toString()] : namedIn(value) }
}

// A layer's recipe as PREPROCESS takes it: as text, so that an edit for one layer leaves the others cached.
def recipeOf(path, List read) {
    def text = path.text.trim()
    def choices = new groovy.json.JsonSlurper().parseText(text).choices
    def wanted = choices*.file
    def tables = read.findAll { name, _table -> wanted.contains(name) }
    return [path.name - '.recipe.json', text, protectsCovariates(text), tables*.get(0), tables*.get(1)]
}

def recipeArguments(Map options) {
    def batch = options.batch ? ['--batch'] : []
    def covariates = options.covariates ? ["--covariates '${options.covariates}'"] : []
    return (batch + covariates).join(' ')
}

// The arguments of check_input.py; those without a value are left out.
def checkArguments(Map options) {
    def names = ['task', 'target', 'class_order', 'covariates', 'batch', 'group', 'split', 'folds', 'repeats', 'inner_folds', 'folds_per_task']
    def given = names.findAll { name -> options[name] != null }.collect { name -> "--${name} '${options[name]}'" }
    def models = ["--models '${modelsOf(options).join(',')}'"]
    def strict = options.strict ? ['--strict'] : []
    return (given + models + strict).join(' ')
}

// Layers are compared with each other only where there are two.
def comparisonProblems(List layers, Map options) {
    def alone = options.task == 'none' && options.pretrain_objective == 'contrastive' && layers.findAll { layer -> layer != 'clinical' }.size() < 2
    return alone ? ['--pretrain_objective contrastive compares layers, and there is one: use reconstruction.'] : []
}

// What the outcome was made from must be a layer of the cohort.
def labelProblems(List layers, Map options) {
    def named = options.label_source
    return named && !layers.contains(named) ? ["--label_source ${named}: there is no such layer. There are: ${layers.join(', ')}.".toString()] : []
}

// Stop with every problem together, or hand on the plan.
def passGate(List problems, List layers, plan, Map options) {
    def errors = problems.findAll { problem -> problem.severity == 'error' || options.strict }*.text + layerProblems(options, layers, (options.covariates ?: '').tokenize(',')) +
        comparisonProblems(layers, options) + labelProblems(layers, options)
    def warnings = problems.findAll { problem -> problem.severity != 'error' }*.text
    if (warnings && !options.strict) {
        log.warn("The input has ${warnings.size()} warning(s):\n${warnings.collect { text -> "  - ${text}" }.join('\n')}")
    }
    if (errors) {
        error("The input has ${errors.size()} problem(s):\n${errors.collect { text -> "  - ${text}" }.join('\n')}\n")
    }
    return plan
}
