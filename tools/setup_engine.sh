#!/usr/bin/env bash
# Makes .tools/bin/nextflow: the machine's own Nextflow when it is new enough, otherwise one that Maven
# resolves from tools/engine/pom.xml into .tools/engine/lib.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

WANTED=25.04
ENGINE="$TOOLS/engine"

# The first Nextflow on PATH that is not the one in .tools/bin, if it is new enough.
system_nextflow() {
    local candidate version
    while read -r candidate; do
        [[ "$(dirname "$(readlink -f "$candidate")")" == "$TOOLS/bin" ]] && continue
        version="$("$candidate" -version 2>/dev/null | sed -n 's/.*version \([0-9][0-9.]*\).*/\1/p' | head -n 1)"
        if [[ -n "$version" ]] && version_at_least "$version" "$WANTED"; then
            echo "$candidate"
            return
        fi
        say "Nextflow ${version:-of unknown version} at $candidate is older than $WANTED and not used"
    done < <(type -ap nextflow || true)
}

check_java() {
    local java=java version
    if [[ -n "${NXF_JAVA_HOME:-}" ]]; then
        java="$NXF_JAVA_HOME/bin/java"
    elif [[ -n "${JAVA_HOME:-}" && -x "$JAVA_HOME/bin/java" ]]; then
        java="$JAVA_HOME/bin/java"
    fi
    command -v "$java" >/dev/null ||
        fail "Java is missing: install Java 17 or newer (Debian: apt-get install default-jre-headless) and call make again."
    version="$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9][0-9]*\).*/\1/p' | head -n 1)"
    ((${version:-0} >= 17)) ||
        fail "Java ${version:-of unknown version} ($java) is too old: Nextflow needs Java 17 or newer; set JAVA_HOME to one or install it."
}

fetch_engine() {
    command -v mvn >/dev/null ||
        fail "Maven is missing: install it (Debian: apt-get install maven), or put a Nextflow of $WANTED or newer on PATH, and call make again."
    say "fetching the Nextflow engine with Maven (about 30 MB)"
    rm -rf "$ENGINE/lib.new"
    mkdir -p "$ENGINE"
    # The repository is kept until the end, so that a call after an interruption goes on from there.
    mvn --batch-mode --quiet --file "$ROOT/tools/engine/pom.xml" "-Dmaven.repo.local=$ENGINE/m2" \
        dependency:copy-dependencies "-DoutputDirectory=$ENGINE/lib.new" 2>&1 |
        sed $'s/\x1b\\[0m//g' >&2 || # it ends even a quiet run by resetting the terminal's colour
        fail "Maven could not fetch the engine (its message stands above); is the network or Maven's mirror reachable?"
    rm -rf "$ENGINE/lib"
    mv "$ENGINE/lib.new" "$ENGINE/lib"
    rm -rf "$ENGINE/m2"
}

one_at_a_time engine
found="$(system_nextflow)"
key="$(digest "$ROOT"/tools/engine/* "${BASH_SOURCE[0]}") ${found:-maven}"
check_java
if stamp_is engine "$key" && [[ -x "$TOOLS/bin/nextflow" ]] && [[ -n "$found" || -d "$ENGINE/lib" ]]; then
    exit 0
fi

stamp_clear engine
if [[ -n "$found" ]]; then
    sed "s|@NEXTFLOW@|$found|" "$ROOT/tools/engine/system_nextflow.sh" >"$TOOLS/nextflow.tmp"
    install_file "$TOOLS/nextflow.tmp" "$TOOLS/bin/nextflow"
    rm -f "$TOOLS/nextflow.tmp"
else
    fetch_engine
    install_file "$ROOT/tools/engine/nextflow.sh" "$TOOLS/bin/nextflow"
fi
"$TOOLS/bin/nextflow" -version >"$TOOLS/engine.log" 2>&1 ||
    fail "the engine does not start; its output is in $TOOLS/engine.log"
stamp_write engine "$key"
say "engine ready: Nextflow $(sed -n 's/.*version \([0-9][0-9.]*\).*/\1/p' "$TOOLS/engine.log" | head -n 1)"
