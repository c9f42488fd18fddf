//
// What Nextflow's task hash does not see: the library code that a script imports.
//

// Return a digest of the script and of every library file it can reach, so that an edit to one of
// them re-runs the processes that use it and no others.
def codeOf(String script) {
    def bin = file("${projectDir}/bin").toFile()
    def digest = java.security.MessageDigest.getInstance('SHA-256')
    codeFiles(script).each { name ->
        digest.update(name.getBytes('UTF-8'))
        digest.update(new File(bin, name).bytes)
    }
    return digest.digest().encodeHex().toString().take(12)
}

// List the files behind a script, relative to bin/: itself, the modules that it or they name
// (imports are absolute, so a module's dotted name stands in the text), all modules of a folder of
// the rooms that they name as a whole, and what is no Python in the rooms that are reached (templates,
// registries).
def codeFiles(String script) {
    def bin = file("${projectDir}/bin").toFile()
    def python = reachable(bin, [script] as Set, [script])
    def rooms = python.findAll { name -> name.contains('/') }.collect { name -> name.substring(0, name.lastIndexOf('/')) }.unique()
    def others = rooms.findAll { room -> room != 'omicsfusion' }.collectMany { room -> notPython(bin, room) }
    return (python + others).unique().sort()
}

def reachable(File bin, Set known, List frontier) {
    if (frontier.isEmpty()) {
        return known
    }
    def next = frontier.collectMany { name -> modulesNamed(bin, name) }.unique().findAll { name -> !known.contains(name) }
    return reachable(bin, known + next, next)
}

def modulesNamed(File bin, String name) {
    def text = new File(bin, name).getText('UTF-8')
    return text.findAll(/omicsfusion(?:\.\w+)*/).unique().collectMany { dotted -> filesOf(bin, dotted.tokenize('.')) }
}

// A dotted name's module file, and the __init__.py of each package on the way to it; of a folder
// within a room (omicsfusion.models.baselines) every module.
def filesOf(File bin, List parts) {
    def paths = (1..parts.size()).collect { depth -> parts.take(depth).join('/') }
    def whole = parts.size() > 2 ? (new File(bin, paths[-1]).list() ?: []).findAll { name -> name.endsWith('.py') }.collect { name -> "${paths[-1]}/${name}".toString() } : []
    return whole + paths.collectMany { path -> ["${path}/__init__.py".toString(), "${path}.py".toString()] }
        .findAll { path -> new File(bin, path).isFile() }
}

def notPython(File bin, String room) {
    def found = []
    new File(bin, room).eachFileRecurse { path ->
        def name = bin.toPath().relativize(path.toPath()).toString()
        if (path.isFile() && !name.endsWith('.py') && !name.contains('__pycache__')) {
            found << name
        }
    }
    return found
}

// Write down the parameters that shape the result, and which versions of which software were used.
workflow RECORD {
    take:
    options // map: the parameters of the run

    main:
    shaping = options.findAll { name, _value -> !(name in ['help', 'outdir', 'step']) }.sort()
    record = [schema: 1, version: workflow.manifest.version, params: shaping]
    ch_parameters = channel.of(groovy.json.JsonOutput.prettyPrint(groovy.json.JsonOutput.toJson(record)) + '\n')
        .collectFile(name: 'params.json', storeDir: "${options.outdir}/pipeline_info")

    channel.of(['workflow', 'omicsfusion', workflow.manifest.version], ['workflow', 'nextflow', workflow.nextflow.version.toString()])
        .mix(channel.topic('versions'))
        .map { task, tool, version -> "${task.tokenize(':')[-1]}\t${tool}\t${version}".toString() }
        .unique()
        .collectFile(name: 'software_versions.tsv', seed: 'process\ttool\tversion', newLine: true, sort: true, storeDir: "${options.outdir}/pipeline_info")

    parameters = ch_parameters.first()

    emit:
    parameters // params.json
}
