#!/usr/bin/env bash
# Looks at what changed: tests/changed.sh format | tidy
# `format` checks every C and C++ file of the tree (it is quick), `tidy` those that changed against the merge base with
# the main branch (or the last commit, where this is the main branch), at most TIDY_FILES of them (default 12).
set -uo pipefail
cd "$(dirname "$0")/.."

changed() {
    local base
    base=$(git merge-base HEAD origin/HEAD 2>/dev/null || git merge-base HEAD origin/main 2>/dev/null)
    if [ -z "$base" ] || [ "$base" = "$(git rev-parse HEAD)" ]; then base=$(git rev-parse --verify -q HEAD~1); fi
    if [ -z "$base" ]; then git ls-files "$@"; else git diff --name-only --diff-filter=d "$base" -- "$@"; fi
}

case ${1:-} in
format)
    git ls-files -z '*.cpp' '*.hpp' '*.h' '*.c' | xargs -0 clang-format-14 --dry-run --Werror
    ;;
tidy)
    # The debug build compiles each file alone and without precompiled headers, so a missing include is seen.
    cmake --preset debug -DTAPEDECK_TESTS=ON >/dev/null || exit 1
    mapfile -t files < <(changed '*.cpp' | shuf --random-source=<(yes) | head -n "${TIDY_FILES:-12}" | sort)
    # What no build compiles (a fuzz target's own main, a template out of the tree) has no command.
    known=()
    for file in "${files[@]}"; do
        grep -qF "\"$PWD/$file\"" build/debug/compile_commands.json && known+=("$file")
    done
    [ ${#known[@]} -gt 0 ] || { echo "no C++ source changed"; exit 0; }
    printf '%s\n' "${known[@]}"
    printf '%s\0' "${known[@]}" | xargs -0 -P "$(nproc)" -n 1 clang-tidy-16 -p build/debug --extra-arg=-Wno-unknown-warning-option --quiet --warnings-as-errors='*'
    ;;
*) echo "usage: tests/changed.sh format | tidy" >&2; exit 2 ;;
esac
