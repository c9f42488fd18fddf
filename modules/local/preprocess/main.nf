process PREPROCESS {
    tag "${meta.id}"
    label 'process_low'

    input:
    tuple val(meta), path(layers), val(recipe), val(names), path(tables, stageAs: 'tables/?/*', arity: '0..*'), path(covariates, arity: '0..*') // one layer file per cohort; recipe: JSON; names, tables: the files it reads; covariates: only when it protects some
    path splits
    path samples
    val task_of_run // classification, survival or regression
    val code

    output:
    tuple val(meta), path("${meta.id}.matrices.h5"), emit: matrices
    tuple val(meta), path("${meta.id}.chains.h5"), emit: chains
    path "${meta.id}.{features,steps,dropped,kept,batch,imputation,outliers,absent}.tsv", emit: tables
    tuple val(task.process), val('numpy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'numpy\'))"'), topic: versions
    tuple val(task.process), val('scikit-learn'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-learn\'))"'), topic: versions

    script:
    def staged = names ? "--tables ${[names, tables].transpose().collect { name, table -> "'${name}=${table}'" }.join(' ')}" : ''
    def known = covariates ? "--covariates ${covariates}" : ''
    """
    export OMP_NUM_THREADS=${task.cpus} OPENBLAS_NUM_THREADS=${task.cpus}
    cat > recipe.json <<'RECIPE'
    ${recipe}
    RECIPE
    preprocess.py \\
        --id ${meta.id} \\
        --files ${layers} \\
        --splits ${splits} \\
        --samples ${samples} \\
        --group ${meta.group} \\
        --task ${task_of_run} \\
        --recipe recipe.json \\
        ${staged} \\
        ${known}
    """

    stub:
    """
    touch ${meta.id}.matrices.h5 ${meta.id}.chains.h5
    printf 'layer\\trepeat\\tfold\\tinner\\tn_in\\tn_constant\\tn_kept\\tn_train\\n' > ${meta.id}.features.tsv
    """
}
