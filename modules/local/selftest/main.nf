process SELFTEST {
    tag "--gpu ${gpu}"
    label 'process_low'
    label 'process_gpu'
    cache false                     // what it asks is how this machine is today

    input:
    val gpu                         // none, allowed or required
    val code

    output:
    path 'selftest.txt', emit: line // what networks are computed on
    tuple val(task.process), val('keras'), eval('python3 -c "from importlib.metadata import version as v; print(v(\'keras\'))"'), topic: versions

    script:
    """
    selftest.py --gpu ${gpu} > selftest.txt
    """

    stub:
    """
    echo 'A stub computes on nothing.' > selftest.txt
    """
}
