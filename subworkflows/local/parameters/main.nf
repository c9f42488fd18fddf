//
// Parameters against nextflow_schema.json, in words, before anything runs. Plain Groovy: no plugin. It
// includes nothing: parser v2 refuses functions that come through a file which several others include.
//

// Return every problem with the parameters as sentences; an empty list when there is none.
def parameterProblems(Map given) {
    def known = schemaProperties()
    def unknown = given.keySet().findAll { name -> !known.containsKey(snakeCase(name)) }.collect { name -> unknownParameter(name, known.keySet()) }
    def wrong = known.collectMany { name, rule -> valueProblems(name, rule, given[name]) }
    def required = [report: ['outdir'], selftest: [], pretrain: ['input', 'samples']].getOrDefault(given.step, ['input', 'samples', 'task', 'target'])
    def absent = required.findAll { name -> given[name] == null || given[name].toString().trim().isEmpty() }
        .collect { name -> "--${name} is missing: ${known[name].description}".toString() }
    return unknown.unique() + wrong + absent + targetProblems(given) + modelProblems(given) + headProblems(given) + settingsProblems(given) + tuningProblems(given) + pretrainingProblems(given)
}

// Return the help text, made from the schema.
def helpText() {
    def groups = schema()['$defs'].collect { _name, group ->
        def lines = group.properties.collect { name, rule ->
            def value = rule.containsKey('default') ? " [${rule['default']}]" : ''
            def choices = rule['enum'] ? " (${rule['enum'].join(' | ')})" : ''
            "  --${name.padRight(16)} ${rule.description}${choices}${value}"
        }
        "${group.title}\n${lines.join('\n')}"
    }
    return "omicsfusion: nextflow run . --input samplesheet.csv --samples samples.tsv --task survival --target os --outdir results\n\n${groups.join('\n\n')}\n"
}

// Return the models that --models names: 'default' and 'all' stand for sets, which leave out what needs
// covariates or files that were not given or is for another task; 'linear-only-*' and 'fused-minus-*' stand for
// a model per layer.
def modelsOf(Map options) {
    def sets = registry().sets
    def usable = { model -> (options.covariates || !needsCovariates(model)) && readBy(model).every { name -> options[name] } && isFor(model, options.task) }
    return options.models.tokenize(',')*.trim()
        .collectMany { name -> sets.containsKey(name) ? writtenOut(sets[name], options).findAll(usable) : writtenOut([name], options) }
        .unique()
}

// Write a set out: '*' is every family, 'linear-only-*' one model per omics layer of the samplesheet, and
// 'fused-minus-*' one without it. Of a single layer the first is 'linear' once more, the second has nothing
// left: both are no model.
def writtenOut(List names, Map options) {
    return names.collectMany { name ->
        if (name == '*') {
            return registry().families.collect { family, entry -> entry.needs_clinical ? "${family}+clinical".toString() : family }
        }
        def layers = isWildcard(name) && options.input ? layersOf(file(options.input)) : []
        return isWildcard(name) ? (layers.size() > 1 ? layers : []).collect { layer -> name[0..-2] + layer } : [name]
    }
}

// Tell whether a name stands for a model per omics layer.
def isWildcard(String name) {
    return name.endsWith('-only-*') || name.endsWith('-minus-*')
}

// List [ line, cells by the lower-case name of their column ] below the samplesheet's header. Whatever is
// wrong with the sheet is for CHECK_INPUT to say, in full: this only finds cells.
def rowsOf(sheet) {
    def lines = textOf(sheet).replace('\uFEFF', '').split(/\r\n|\n|\r/).toList()
    def delimiter = [',', '\t', ';'].max { mark -> lines.take(9).sum { line -> line.count(mark) } }
    def cells = lines.collect { line -> cellsOf(line, delimiter) }
    def first = cells.findIndexOf { row -> row*.toLowerCase().contains('file') }
    def header = first < 0 ? [] : cells[first]*.toLowerCase()
    return cells.withIndex()
        .findAll { _row, index -> first >= 0 && index > first }
        .collect { row, index -> [index + 1, [header, row.take(header.size())].transpose().collectEntries { name, cell -> [(name): cell] }] }
}

// List the omics layers of the cohort that is trained on, sorted; none where the sheet cannot be read.
def layersOf(sheet) {
    def trained = sheet.exists() ? rowsOf(sheet).findAll { _line, cells -> cells.role != 'external' } : []
    return trained.collect { _line, cells -> cells.layer }.findAll { name -> name && name != 'clinical' }.unique().sort()
}

// As CHECK_INPUT reads it: UTF-8, or UTF-16 when its mark stands at the beginning.
def textOf(sheet) {
    def first = sheet.bytes.toList().take(2)*.intValue()
    return sheet.getText(first in [[-1, -2], [-2, -1]] ? 'UTF-16' : 'UTF-8')
}

def cellsOf(String line, String delimiter) {
    def parts = line.split("${java.util.regex.Pattern.quote(delimiter)}(?=(?:[^\"]*\"[^\"]*\")*[^\"]*\$)", -1).toList()
    return parts.collect { cell -> cell.trim().replaceAll(/^"|"$/, '').trim() }
}

// Return what registry.json says of a model's family.
def entryOf(String model) {
    return registry().families[modelParts(model).family] ?: [:]
}

// Tell whether a model is for a task; what names no task is for all.
def isFor(String model, String task) {
    return !entryOf(model).tasks || entryOf(model).tasks.contains(task)
}

// Return the names of the parameters whose files a model reads.
def readBy(String model) {
    return entryOf(model).reads ?: []
}

// Tell whether the encoders of a model may begin pretrained.
def takesPretrained(String model) {
    return entryOf(model).pretrained == true
}

// Return what each model reads besides the layers: [ model, [ gene sets ], [ network ], [ positions ], [ studies ], [ encoders ] ],
// only the files that it has a use for, and its own studies.
def readingsOf(Map options, Map known) {
    return modelsOf(options).collect { model ->
        def files = ['gene_sets', 'network', 'positions'].collect { name -> readBy(model).contains(name) ? known[name] : [] }
        [model] + files + [known.studies.findAll { table -> table.name.startsWith("${model}.") }, takesPretrained(model) ? known.pretrained : []]
    }
}

// Tell whether a model cannot do without covariates. A layer may be called clinical_chem: where the word
// stands in the name counts, not whether it does.
def needsCovariates(String model) {
    return modelParts(model).family == 'clinical' || model.endsWith('+clinical')
}

// Return the models that a control with permuted omics trains: those that see the covariates, and none where the
// verdict does not ask whether omics add to them: that takes the covariates alone, and with omics.
def modelsWithCovariates(Map options) {
    def models = modelsOf(options)
    def seeing = models.findAll { model -> model == 'clinical' || model.endsWith('+clinical') }
    return models.contains('clinical') && seeing.size() > 1 ? seeing : []
}

// Families of networks, in the order in which the verdict looks for one.
def networkFamilies() {
    return registry().families.findAll { _family, entry -> entry.role == 'network' }.keySet().toList()
}

// Tell whether a model is a network, whose predictions EXPLAIN can take apart.
def isNetwork(String model) {
    return networkFamilies().contains(modelParts(model).family)
}

// Return what is wrong with models that the user names with a layer or a covariate, once the layers are known.
def layerProblems(Map options, List layers, List covariates) {
    def omics = layers.findAll { layer -> layer != 'clinical' }
    def named = options.models.tokenize(',')*.trim().findAll { name -> !registry().sets.containsKey(name) && !isWildcard(name) }
    return named.collectMany { model ->
        def parts = modelParts(model)
        def clinical = parts.family == 'clinical'
        def known = clinical ? covariates : omics
        def lacksCovariates = needsCovariates(model) && !layers.contains('clinical')
        def misnamed = !lacksCovariates && parts.name && !known.contains(parts.name)
        def empty = parts.verb == 'minus' && omics == [parts.name]
        (lacksCovariates ? ["Model '${model}' needs covariates: name columns of samples.tsv with --covariates.".toString()] : []) +
            (misnamed ? ["Model '${model}': there is no ${clinical ? 'covariate' : 'layer'} '${parts.name}'. ${suggestion(parts.name, known)}There are: ${known.join(', ')}.".toString()] : []) +
            (empty ? ["Model '${model}': no layer is left.".toString()] : [])
    }
}

def modelParts(String model) {
    def matcher = model =~ /^([A-Za-z]+)(?:-(only|minus)-([^+]+))?(\+clinical)?$/
    return matcher.matches()
        ? [family: matcher.group(1), verb: matcher.group(2), name: matcher.group(3)]
        : [family: null, verb: null, name: null]
}

def modelProblems(Map given) {
    def registry = registry()
    def known = registry.families.keySet()
    def legal = registry.sets.keySet().toList() + known.collect { family -> registry.families[family].needs_clinical ? "${family}+clinical".toString() : family }
    def names = (given.models ?: '').toString().tokenize(',')*.trim()
    def named = names.findAll { name -> !registry.sets.containsKey(name) }
    def lacking = named.collectMany { name ->
        (entryOf(name).needs ?: []).findAll { need -> !given[need] }
            .collect { need -> "--models: '${name}' needs --${need}: ${schemaProperties()[need].description}".toString() }
    }
    def blind = named.findAll { name -> entryOf(name).needs_clinical && !name.endsWith('+clinical') }
        .collect { name -> "--models: '${name}' sees the covariates: ask for '${name}+clinical', with --covariates.".toString() }
    def unsuitable = named.findAll { name -> schemaProperties().task['enum'].contains(given.task) && !isFor(name, given.task) }
        .collect { name -> "--models: '${name}' is for ${entryOf(name).tasks.join(' and ')}, not for --task ${given.task}. Leave it out.".toString() }
    return lacking + blind + unsuitable + named
        .findAll { name -> !known.contains(modelParts(name).family) }
        .collect { name -> "--models: there is no model '${name}'. ${suggestion(name, legal)}Models: ${legal.join(', ')}.".toString() }
}

// Whether the columns are there is for CHECK_INPUT to say; what their names alone tell is said here.
def targetProblems(Map given) {
    def targets = (given.target ?: '').toString().tokenize(',')
    def twice = targets.countBy { name -> name }.findAll { _name, n -> n > 1 }
        .collect { name, _n -> "--target: ${name} is there twice. Name each target once.".toString() }
    def ordered = targets.size() > 1 && given.class_order
        ? ["--class_order orders the classes of one target, and --target names ${targets.size()}. Leave it out, or train the target with ordered classes in a run of its own.".toString()]
        : []
    def distilled = targets.size() > 1 && given.distil.toString() == 'true'
        ? ["--distil teaches a network one target, and --target names ${targets.size()}. Leave one of them out.".toString()]
        : []
    def pupil = given.distil.toString() == 'true' && given.ensemble.toString() == '1'
        ? ["--distil needs several networks to learn from: give --ensemble 2 or more.".toString()]
        : []
    def single = targets.size() > 1 ? ['learning_curve', 'show_optimism'].findAll { name -> given[name].toString() == 'true' } : []
    def curved = single.collect { name -> "--${name} is of one target, and --target names ${targets.size()}. Leave one of them out.".toString() }
    return twice + ordered + distilled + pupil + curved
}

// A head is for one task, and only classes have an order.
def headProblems(Map given) {
    def task_of = headTasks()
    def known = schemaProperties().task['enum'].contains(given.task)
    def fitting = ['auto'] + task_of.findAll { _head, task -> task == given.task }.keySet()
    def unsuitable = known && task_of.containsKey(given.head) && task_of[given.head] != given.task
    def unordered = known && given.class_order && given.task != 'classification'
    return (unsuitable ? ["--head ${given.head} is not for --task ${given.task}. Use ${fitting.join(' or ')}.".toString()] : []) +
        (unordered ? ["--class_order is for --task classification; a ${given.task} has no classes. Leave it out.".toString()] : [])
}

// The names and ranges of settings stand where the networks read them.
def settingsProblems(Map given) {
    def rules = new groovy.json.JsonSlurper().parse(file("${projectDir}/bin/omicsfusion/models/settings.json").toFile())
    def parts = (given.settings ?: '').toString().tokenize(',').collect { part -> part.tokenize('=') }
    def names = parts.collect { part -> part[0] }
    def unknown = names.findAll { name -> !rules.containsKey(name) }
        .collect { name -> "--settings: there is no setting '${name}'. ${suggestion(name, rules.keySet())}Settings: ${rules.keySet().join(', ')}.".toString() }
    def twice = names.countBy { name -> name }.findAll { _name, n -> n > 1 }
        .collect { name, _n -> "--settings: ${name} is there twice.".toString() }
    def outside = parts.findAll { part -> part.size() == 2 && rules.containsKey(part[0]) && !within(part[1], rules[part[0]]) }
        .collect { part -> "--settings: ${part[0]} must be a number from ${rules[part[0]].least} to ${rules[part[0]].most}, not ${part[1]}.".toString() }
    return unknown + twice + outside
}

def within(String text, Map rule) {
    return text.isNumber() && text.toBigDecimal() >= rule.least && text.toBigDecimal() <= rule.most
}

// A limit of time and earlier trials mean nothing to a run that tunes nothing.
def tuningProblems(Map given) {
    return ['tuning_minutes', 'studies']
        .findAll { name -> given[name] && !given.trials }
        .collect { name -> "--${name} is for tuning: give --trials, too, or leave it out.".toString() }
}

// Pretrained encoders need a model that takes them, and freezing needs encoders that came pretrained.
def pretrainingProblems(Map given) {
    def names = (given.settings ?: '').toString().tokenize(',').collect { part -> part.tokenize('=')[0] }
    def frozen = names.contains('freeze') && !given.pretrained
    def again = given.pretrained && given.step == 'pretrain'
    def models = given.pretrained && given.step == 'train' ? modelsOf(given) : []
    def nobody = models && !models.any { model -> takesPretrained(model) }
    return (frozen ? ['--settings: freeze is for --pretrained encoders: give them, too, or leave it out.'] : []) +
        (again ? ['--pretrained is for training: --step pretrain begins anew.'] : []) +
        (nobody ? ["--pretrained: none of the models ${models.join(', ')} takes pretrained encoders. Families that do: ${registry().families.findAll { _family, entry -> entry.pretrained }.keySet().join(', ')}.".toString()] : [])
}

// Return the mistakes that --show_optimism makes: batches must be named for one of them.
def mistakesOf(Map options) {
    def made = ['selection', 'tuning'] + (options.batch ? ['batch'] : [])
    return options.show_optimism ? made : []
}

def headTasks() {
    return new groovy.json.JsonSlurper().parse(file("${projectDir}/bin/omicsfusion/models/heads/heads.json").toFile())
}

def registry() {
    return new groovy.json.JsonSlurper().parse(file("${projectDir}/bin/omicsfusion/models/registry.json").toFile())
}

def schema() {
    return new groovy.json.JsonSlurper().parse(file("${projectDir}/nextflow_schema.json").toFile())
}

def schemaProperties() {
    return schema()['$defs'].values().inject([:]) { all, group -> all + group.properties }
}

def unknownParameter(String name, Collection known) {
    return "--${name} is no parameter of this pipeline. ${suggestion(snakeCase(name), known, '--')}See --help.".toString()
}

def valueProblems(String name, Map rule, Object value) {
    if (value == null) {
        return []
    }
    def text = value.toString()
    def message = rule.errorMessage ?: rule.description
    if (rule.type == 'integer' && !(value instanceof Integer || value instanceof Long)) {
        return ["--${name} ${text}: must be a whole number. ${message}".toString()]
    }
    if (rule.type == 'number' && !(value instanceof Number)) {
        return ["--${name} ${text}: must be a number. ${message}".toString()]
    }
    if (rule.type == 'boolean' && !(value instanceof Boolean)) {
        return ["--${name} ${text}: must be true or false. ${message}".toString()]
    }
    if (rule.type == 'string' && value instanceof Boolean) {
        return ["--${name}: a value is missing. ${message}".toString()]
    }
    def broken = (rule['enum'] && !rule['enum'].contains(value)) ||
        (rule.pattern && !(text ==~ rule.pattern)) ||
        (rule.minimum != null && value < rule.minimum) ||
        (rule.exclusiveMinimum != null && value <= rule.exclusiveMinimum)
    def near = rule['enum'] ? suggestion(text, rule['enum']) : ''
    return broken ? ["--${name} ${text}: ${near}${message}".toString()] : []
}

def snakeCase(String name) {
    return name.replace('-', '_').replaceAll(/([a-z0-9])([A-Z])/, '$1_$2').toLowerCase()
}

def suggestion(String name, Collection names, String dashes = '') {
    def near = names.min { candidate -> distance(name, candidate) }
    return near != null && distance(name, near) <= Math.max(2, name.size().intdiv(3)) ? "Did you mean '${dashes}${near}'? " : ''
}

// Edits between two words (Levenshtein 1966), row by row.
def distance(String left, String right) {
    def first = (0..right.size()).toList()
    def last = left.toList().withIndex().inject(first) { above, pair ->
        right.toList().withIndex().inject([pair[1] + 1]) { row, other ->
            def column = other[1]
            row + [[row[-1] + 1, above[column + 1] + 1, above[column] + (pair[0] == other[0] ? 0 : 1)].min()]
        }
    }
    return last[-1]
}
