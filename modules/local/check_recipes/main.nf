process CHECK_RECIPES {
    tag 'recipes'
    label 'process_single'

    input:
    path layers
    path preprocess, stageAs: 'choices/*', arity: '0..*' // the --preprocess file
    path tables, stageAs: 'tables/?/*', arity: '0..*'    // the files that it names and that exist
    val names                                            // the name of each of them in it
    val options                                          // further arguments
    val code

    output:
    path '*.recipe.json', emit: recipes
    path 'recipes.problems.tsv', emit: problems
    tuple val(task.process), val('pyyaml'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'pyyaml\'))"'), topic: versions

    script:
    def chosen = preprocess ? "--preprocess ${preprocess}" : ''
    def staged = names ? "--files ${[names, tables].transpose().collect { name, table -> "'${name}=${table}'" }.join(' ')}" : ''
    """
    check_recipes.py \\
        --layers ${layers} \\
        ${chosen} \\
        ${staged} \\
        ${options}
    """

    stub:
    """
    tail -n +2 ${layers} | cut -f 2 | while read -r layer; do echo '{"choices": []}' > "\$layer.recipe.json"; done
    printf 'severity\\tproblem\\tcure\\tfile\\trow\\tcolumn\\ttext\\n' > recipes.problems.tsv
    """
}
