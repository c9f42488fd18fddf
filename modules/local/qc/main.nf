process QC {
    tag "${layers.size()} tables"
    label 'process_low'

    input:
    path layers, arity: '1..*' // every layer of every cohort: together, for compiling UMAP costs more than its use
    path samples
    path covariates, arity: '0..*' // in which the samples' sex may stand
    val code

    output:
    path '*.{qc_samples,qc_features,qc_distributions,qc_summary,embedding,embedding_summary}.tsv', emit: tables
    tuple val(task.process), val('scikit-learn'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'scikit-learn\'))"'), topic: versions
    tuple val(task.process), val('umap-learn'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'umap-learn\'))"'), topic: versions
    tuple val(task.process), val('harmonypy'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'harmonypy\'))"'), topic: versions

    script:
    // One thread: t-SNE adds up its forces in the order in which threads finish.
    def with_covariates = covariates ? "--covariates ${covariates}" : ''
    """
    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 NUMBA_NUM_THREADS=1 NUMBA_CACHE_DIR=\${NUMBA_CACHE_DIR:-.numba}
    qc.py \\
        --files ${layers} \\
        --samples ${samples} \\
        ${with_covariates}
    """

    stub:
    """
    printf 'layer\\tcohort\\tname\\tvalue\\tnote\\n' > stub.qc_summary.tsv
    """
}
