process REPORT {
    tag 'omicsfusion_report.html'
    label 'process_single'

    input:
    path input, stageAs: 'results/input/*'
    path qc, stageAs: 'results/qc/*'
    path splits, stageAs: 'results/splits/*'
    path preprocess, stageAs: 'results/preprocess/*'
    path models, stageAs: 'results/models/*'
    path predictions, stageAs: 'results/predictions/*'
    path assess, stageAs: 'results/assess/*'
    path explain, stageAs: 'results/explain/*'
    path enrich, stageAs: 'results/enrich/*'
    path parameters, stageAs: 'results/pipeline_info/*'
    val code

    output:
    path 'omicsfusion_report.html', emit: page
    tuple val(task.process), val('plotly'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'plotly\'))"'), topic: versions

    script:
    """
    report.py --results results
    """

    stub:
    """
    echo '<!doctype html><title>stub</title>' > omicsfusion_report.html
    """
}
