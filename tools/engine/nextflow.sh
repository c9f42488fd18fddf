#!/usr/bin/env bash
# Starts the Nextflow that tools/setup_engine.sh laid into .tools/engine/lib (a copy of this file is
# .tools/bin/nextflow). Arguments are Nextflow's own. Environment, all optional:
#   NXF_OFFLINE  true here unless set: nothing is downloaded at run time, and the pipeline needs no plugin.
#                A cloud profile that needs one: NXF_OFFLINE=false .tools/bin/nextflow run …
#   NXF_HOME     .tools/nextflow_home here unless set, so that nothing is written outside the checkout
#   NXF_OPTS     further JVM options, e.g. NXF_OPTS=-Xmx4g for runs of many thousand tasks
#   NXF_JAVA_HOME, JAVA_HOME   which Java; otherwise the one on PATH
set -euo pipefail

here="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)"
tools="$(dirname "$here")"
lib="$tools/engine/lib"

if [[ -n "${NXF_JAVA_HOME:-}" ]]; then
    java="$NXF_JAVA_HOME/bin/java"
elif [[ -n "${JAVA_HOME:-}" && -x "$JAVA_HOME/bin/java" ]]; then
    java="$JAVA_HOME/bin/java"
else
    java=java
fi
command -v "$java" >/dev/null || { echo "nextflow: no Java found; install Java 17 or newer" >&2; exit 1; }
[[ -d "$lib" ]] || { echo "nextflow: the engine is not set up; run 'make setup'" >&2; exit 1; }

export NXF_HOME="${NXF_HOME:-$tools/nextflow_home}"
export NXF_OFFLINE="${NXF_OFFLINE:-true}"
export NXF_CLI="nextflow $*" # what the run reports as its command line
# Without any locale Java would not open a path with a non-ASCII letter.
[[ -n "${LC_ALL:-}${LC_CTYPE:-}${LANG:-}" ]] || export LC_CTYPE=C.UTF-8

# Nextflow's own launcher opens the same packages. Without them the cache database stays empty without a
# word, and -resume runs everything again.
opens=()
for package in java.lang java.io java.nio java.net java.util java.util.regex \
    java.util.concurrent.locks java.util.concurrent.atomic sun.nio.ch sun.nio.fs \
    sun.net.www.protocol.http sun.net.www.protocol.https sun.net.www.protocol.ftp \
    sun.net.www.protocol.file jdk.internal.misc jdk.internal.vm; do
    opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
done

# The pattern is sorted by the shell, so that the class path is the same everywhere.
jars=("$lib"/*.jar)
class_path="$(IFS=: && echo "${jars[*]}")"

# shellcheck disable=SC2086 # NXF_OPTS holds several options
exec "$java" -XX:+TieredCompilation -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Xmx1g \
    -Dfile.encoding=UTF-8 ${NXF_OPTS:-} "${opens[@]}" -cp "$class_path" nextflow.cli.Launcher "$@"
