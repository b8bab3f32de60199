#!/bin/bash
# What every stage uses. Sourced by the stages; not a stage itself.
#
# A stage is a program in this folder. It prints one line per check and, last of all, `N passed, N failed`.
# A stage whose tools cannot be had fails and says why: nothing is skipped in silence.

set -uo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
TARGET=${CARGO_TARGET_DIR:-target}
[[ $TARGET = /* ]] || TARGET=$PWD/$TARGET
BACKDOCK=$TARGET/debug/backdock
PASSED=0
FAILED=0

# A folder of the stage's own, removed at its end together with what the stage has started.
SCRATCH=$(mktemp -d)
STARTED=()
clean() {
    [[ ${#STARTED[@]} = 0 ]] || kill "${STARTED[@]}" 2> /dev/null
    wait
    rm -rf "$SCRATCH"
}
trap clean EXIT

# check NAME COMMAND...: one test; what the command said is shown when it fails.
check() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        PASSED=$((PASSED + 1))
        echo "ok      $name"
    else
        FAILED=$((FAILED + 1))
        printf 'FAILED  %s\n%s\n' "$name" "$said"
    fi
}

# The last line of a stage, and its exit code.
finish() {
    echo "$PASSED passed, $FAILED failed"
    exit $((FAILED > 0))
}

# give_up REASON: the stage cannot run.
give_up() {
    FAILED=$((FAILED + 1))
    echo "FAILED  $1"
    finish
}

as_root() {
    if [[ $(id -u) = 0 ]]; then "$@"; else sudo -n "$@"; fi
}

# install PACKAGE...: Debian packages. What went wrong is seen by whoever needed them.
install() {
    echo "installing $*"
    as_root apt-get update -qq > "$SCRATCH/apt.log" 2>&1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@" >> "$SCRATCH/apt.log" 2>&1
}

# need COMMAND PACKAGE...: the command, installed where it is not there.
need() {
    local command=$1
    shift
    command -v "$command" > /dev/null || install "$@"
    command -v "$command" > /dev/null || give_up "$command cannot be installed (apt-get install $*): $(tail -3 "$SCRATCH/apt.log")"
}

# The program under test, built.
need_backdock() {
    cargo build --locked --quiet --bin backdock || give_up "backdock does not build"
}
