#!/usr/bin/env bash
# Starts the machine's own Nextflow (a copy of this file, with its path filled in, is .tools/bin/nextflow).
nextflow='@NEXTFLOW@'
[[ -x "$nextflow" ]] || { echo "nextflow: $nextflow is gone; run 'make setup' again" >&2; exit 1; }
exec "$nextflow" "$@"
