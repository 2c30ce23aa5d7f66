# SPDX-License-Identifier: GPL-2.0-only
# What the lab's scripts stand on: the cache, a step that is logged and watched, an entry that is whole or absent.

set -eu -o pipefail
lab=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${NESTOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nestor}
machine=$(uname -m)
cross=aarch64-linux-gnu-
[ "$machine" != aarch64 ] || cross=

say() { echo "setup: $*" >&2; }
die() { echo "setup: $*" >&2; exit 1; }

# key TEXT...: a short name for an input
key() { printf '%s\n' "$@" | sha256sum | cut -c1-12; }

# at_least WANTED VERSION: true if VERSION is WANTED or newer
at_least() { [ -n "$2" ] && printf '%s\n' "$1" "$2" | sort -V -C; }

free_mb() { df --output=avail -BM "$cache" | tr -dc '0-9\n' | tail -1; }

# is_full: nothing of a set-up fits any more. A program that failed to write may have freed some again, and df rounds up.
is_full() { [ "$(free_mb)" -lt 8 ]; }

# need_space MB: dies if the cache's disk has less
need_space() {
    [ "$(free_mb)" -ge "$1" ] || die "not enough disk: needs $1 MB at $cache, has $(free_mb) MB"
}

# only_one: takes the cache for this process and its children; what an interrupted run left in tmp/ goes
only_one() {
    [ -z "${locked:-}" ] || return 0
    locked=1
    mkdir -p "$cache/tmp" "$cache/log" "$cache/wip" 2>/dev/null || die "cannot write to the cache: $cache"
    exec 9>"$cache/lock"
    flock -n 9 || { say "waiting for another setup to end"; flock 9; }
    rm -rf "$cache/tmp/"*
    trap 'stop_step; rm -rf "$cache/tmp/"*' EXIT
    trap 'exit 130' INT TERM HUP
}

step_pid=
stop_step() {
    [ -n "$step_pid" ] || return 0
    disown "$step_pid" 2>/dev/null || :
    kill -INT -- "-$step_pid" 2>/dev/null || return 0
    sleep 0.5
    kill -KILL -- "-$step_pid" 2>/dev/null || :
}

full() { stop_step; die "$1 failed: disk full at $cache"; }

# cause LOG: why the command that wrote LOG failed, in one line
cause() {
    local pattern
    ! is_full || { echo "disk full at $cache"; return; }
    for pattern in 'No space left' '^E: Failed to fetch' '^(E|Err): ' ' [Ee]rror: ' '^Error: ' 'Error [0-9]' 'cannot '; do
        grep -m1 -E "$pattern" "$1" && return
    done
    tail -n 1 "$1"
}

# progress NOW TEXT: a line that is overwritten on a terminal, else one every 20 seconds
progress() {
    if [ -t 2 ]; then
        printf '\r\033[Ksetup: %s, %d s' "$2" "$1" >&2
    elif [ $(($1 % 20)) = 0 ]; then
        say "$2, $1 s"
    fi
}

# step TITLE SHOW COMMAND...: runs COMMAND with its output in a log; SHOW LOG prints how far it is
step() {
    local title=$1 show=$2 log="$cache/log/${1//[^A-Za-z0-9.-]/-}" start=$SECONDS last=-1 now rc=0
    shift 2
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    step_pid=$!
    set +m
    while sleep 0.2; kill -0 "$step_pid" 2>/dev/null; do
        now=$((SECONDS - start))
        [ $now != $last ] || continue
        ! is_full || full "$title" # apt can wait for ever on a full disk
        progress $now "$title: $("$show" "$log")"
        last=$now
    done
    [ ! -t 2 ] || printf '\r\033[K' >&2
    wait "$step_pid" || rc=$?
    step_pid=
    [ $rc = 0 ] || die "$title failed: $(cause "$log") (log: $log)"
    say "$title: done, $((SECONDS - start)) s"
}

# entry NAME TITLE SHOW FUNCTION: makes the cache's NAME by FUNCTION TEMPORARY, unless it is there
entry() {
    local tmp=$cache/tmp/$1
    [ ! -e "$cache/$1" ] || return 0
    mkdir "$tmp"
    step "$2" "$3" "$4" "$tmp"
    mv -T "$tmp" "$cache/$1"
}
