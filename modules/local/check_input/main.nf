process CHECK_INPUT {
    tag "${sheet.toString().tokenize('/')[-1]}"
    label 'process_single'

    input:
    path sheet, stageAs: 'sheet/*'
    path samples, stageAs: 'samples/*'
    path tables, stageAs: 'tables/?/*', arity: '0..*' // the tables that exist
    val lines                                         // the line of the samplesheet of each of them
    val options                                       // further arguments
    val code

    output:
    path 'layers.tsv', emit: layers
    path 'samples.tsv', emit: samples
    path 'covariates.tsv', emit: covariates, optional: true
    path 'sample_accounting.tsv', emit: accounting
    path 'problems.tsv', emit: problems
    path 'plan.json', emit: plan
    path 'plan.txt', emit: plan_text
    tuple val(task.process), val('python'), eval('python3 -c "import platform; print(platform.python_version())"'), topic: versions
    tuple val(task.process), val('pandas'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'pandas\'))"'), topic: versions

    script:
    def staged = [lines, tables].transpose().collect { line, table -> "${line}=${table}" }.join(' ')
    """
    check_input.py \\
        --sheet ${sheet} \\
        --samples ${samples} \\
        --tables ${staged} \\
        ${options}
    """

    stub:
    def clinical = options.contains('--covariates')
    """
    printf 'cohort\\tlayer\\tkind\\trole\\trows\\tsources\\tsamples\\n' > layers.tsv
    printf 'main\\tstub\\trna_log\\ttrain\\tfeatures\\t${tables[0].toString().tokenize('/')[-1]}\\t\\n' >> layers.tsv
    ${clinical ? "printf 'main\\tclinical\\tclinical\\ttrain\\tsamples\\tcovariates\\t\\n' >> layers.tsv; printf 'sample\\n' > covariates.tsv" : ''}
    printf 'sample\\tpatient\\tcohort\\trole\\tgroup\\tbatch\\tsplit\\ttruth\\tlayers\\n' > samples.tsv
    printf 'sample\\tpatient\\tcohort\\tlayers\\tstatus\\twhere\\treason\\n' > sample_accounting.tsv
    printf 'severity\\tproblem\\tcure\\tfile\\trow\\tcolumn\\ttext\\n' > problems.tsv
    echo '{}' > plan.json
    echo 'Stub run: nothing is computed.' > plan.txt
    """
}
