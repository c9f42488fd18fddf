#!/usr/bin/env bash
# Makes the Python environment .tools/venv and .tools/bin/python.
#   tools/setup_python.sh runtime   what the pipeline needs      (requirements.lock)
#   tools/setup_python.sh dev       that and the test tools      (requirements-dev.lock, a superset)
# Once dev was asked for, the environment keeps the test tools: runtime then installs or removes nothing.
# PYTHON=/path/to/python3 chooses the interpreter. Your own uv cache is used when UV_CACHE_DIR names one.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

LEVEL="${1:?runtime or dev}"
VENV="$TOOLS/venv"
UV="$TOOLS/uv/bin/uv"
UV_LOCK="$ROOT/tools/uv.lock.txt"

python_version() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null; }

# TensorFlow's wheels end at 3.13; a newer Python is not even tried, for pip's message would baffle.
find_python() {
    local name candidate version seen=""
    for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        while read -r candidate; do
            [[ "$candidate" == "$TOOLS"/* ]] && continue
            version="$(python_version "$candidate")" || continue
            if version_at_least "$version" 3.11 && ! version_at_least "$version" 3.14; then
                echo "$candidate"
                return
            fi
            seen+=" $candidate is $version;"
        done < <(type -ap "$name" || true)
    done
    fail "no Python 3.11, 3.12 or 3.13 was found (seen:${seen:- none}): install one (Debian: apt-get install python3) or name it with PYTHON=/path/to/python3."
}

# Debian parts pip from Python: an interpreter without it gets the wheel from Debian's package.
pip_wheel() {
    local into="$TOOLS/pip" wheel
    for wheel in /usr/share/python-wheels/pip-*.whl "$into"/usr/share/python-wheels/pip-*.whl; do
        [[ -f "$wheel" ]] && echo "$wheel" && return
    done
    debian_unpack "$into" python3-pip-whl || return 1
    ls "$into"/usr/share/python-wheels/pip-*.whl
}

# uv itself, at the version and with the hashes of tools/uv.lock.txt.
setup_uv() {
    local python="$1" key wheel install
    key="$(digest "$UV_LOCK")"
    install=(install --quiet --disable-pip-version-check --no-cache-dir --require-hashes --requirement "$UV_LOCK")
    stamp_is uv "$key" && [[ -x "$UV" ]] && return
    stamp_clear uv
    rm -rf "$TOOLS/uv"
    say "fetching uv, which installs the Python packages"
    if "$python" -m venv "$TOOLS/uv" >/dev/null 2>&1; then
        "$TOOLS/uv/bin/python" -m pip "${install[@]}" >&2 || fail "pip could not fetch uv (its message stands above)."
    else
        rm -rf "$TOOLS/uv"
        "$python" -m venv --without-pip "$TOOLS/uv" && wheel="$(pip_wheel)" ||
            fail "$python can make no virtual environment: install venv for it (Debian: apt-get install python3-venv) and call make again."
        "$TOOLS/uv/bin/python" "$wheel/pip" "${install[@]}" >&2 || fail "pip could not fetch uv (its message stands above)."
        rm -rf "$TOOLS/pip"
    fi
    stamp_write uv "$key"
}

install_packages() {
    local lock="$1" cache="$TOOLS/uv_cache"
    export UV_PYTHON_DOWNLOADS=never UV_CACHE_DIR="${UV_CACHE_DIR:-$cache}" UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-180}"
    # An environment whose interpreter has gone, or was left half made, is made anew.
    if [[ "$(python_version "$VENV/bin/python" || true)" != "$(python_version "$PYTHON_FOUND")" ]]; then
        rm -rf "$VENV"
        "$UV" venv --quiet --no-project --python "$PYTHON_FOUND" "$VENV" >&2
    fi
    # Compiled here, once: tasks write no bytecode, and without it every import of TensorFlow takes 16 s, not 5.
    "$UV" pip sync --quiet --python "$VENV/bin/python" --require-hashes --compile-bytecode "$lock" >&2 ||
        fail "the Python packages could not be installed (uv's message stands above); what was fetched is kept, call make again."
    # With the packages in place the cache is only a second name for the same files.
    rm -rf "$cache"
}

# Not links: Python finds its environment from the path that it was started by.
write_wrappers() {
    local name
    printf '#!/bin/sh\nexec "${0%%/*}/../venv/bin/python" "$@"\n' >"$TOOLS/python.tmp"
    for name in python python3; do
        install_file "$TOOLS/python.tmp" "$TOOLS/bin/$name"
    done
    rm -f "$TOOLS/python.tmp"
}

one_at_a_time python
[[ "$LEVEL" == dev ]] && touch "$TOOLS/stamps/python_dev_wanted"
lock="$ROOT/requirements.lock"
[[ -e "$TOOLS/stamps/python_dev_wanted" ]] && lock="$ROOT/requirements-dev.lock"
key="$(digest "$lock" "$UV_LOCK" "${BASH_SOURCE[0]}")"
if stamp_is python "$key" && "$TOOLS/bin/python" -c '' 2>/dev/null; then
    exit 0
fi

stamp_clear python
PYTHON_FOUND="$(find_python)"
setup_uv "$PYTHON_FOUND"
follow_pip_settings
say "installing the Python packages of $(basename "$lock") (2.5 GB, a few minutes)"
install_packages "$lock"
write_wrappers
stamp_write python "$key"
say "Python environment ready: Python $(python_version "$TOOLS/bin/python") with $(grep -c == "$lock") packages"
