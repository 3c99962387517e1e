#!/usr/bin/env bash
# Runs every fuzz target for a time: tests/fuzz/run.sh <folder of the programs> <seconds each> [<at once>]
# New inputs go to a folder beside the programs; the seeds in corpus/ stay as they are. A finding is kept as
# <program>.crash-*, and running the program with that file shows it again.
set -euo pipefail
programs=$1 seconds=$2 at_once=${3:-1}
corpus=$(cd "$(dirname "$0")" && pwd)/corpus
shopt -s nullglob
targets=()
for program in "$programs"/fuzz_*; do  # and not what an earlier run left beside them
    if [ -f "$program" ] && [ -x "$program" ]; then targets+=("$program"); fi
done
one() {
    local program=$1 name=${1##*/fuzz_}
    mkdir -p "$program.found"
    "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$program." "$program.found" "$corpus/$name" >"$program.log" 2>&1 ||
        { echo "fuzz.$name FAILED"; tail -n 60 "$program.log"; return 1; }
    echo "fuzz.$name: $(grep -E 'number_of_executed_units' "$program.log" | grep -oE '[0-9]+$') inputs in $seconds s"
}
export -f one
export seconds corpus
[ ${#targets[@]} -gt 0 ] || { echo "no fuzz targets in $programs" >&2; exit 1; }
printf '%s\0' "${targets[@]}" | xargs -0 -P "$at_once" -I{} bash -c 'one "$1"' _ {}
