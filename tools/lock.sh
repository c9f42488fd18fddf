#!/usr/bin/env bash
# Makes both locks from the ranges in pyproject.toml, and conda/environment.yml from the lock.
# Arguments go to uv; without any, versions stay as they are where the ranges still allow them.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

follow_pip_settings
cd "$ROOT"
# One lock serves every platform and Python from 3.11 on. No index address is written into it: each machine
# asks its own.
options=(--universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --quiet)
"$TOOLS/uv/bin/uv" pip compile pyproject.toml "${options[@]}" --output-file requirements.lock "$@"
"$TOOLS/uv/bin/uv" pip compile pyproject.toml "${options[@]}" --group dev \
    --constraint requirements.lock --output-file requirements-dev.lock "$@"
"$TOOLS/bin/python" tools/conda_environment.py requirements.lock >conda/environment.yml.tmp
mv conda/environment.yml.tmp conda/environment.yml
