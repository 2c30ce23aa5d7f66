# SPDX-License-Identifier: GPL-2.0-only
# Debian packages fetched and unpacked beside the machine's own apt, without root: a "world" is some suites for one
# architecture, with lists and archives of its own in the cache. Proxies and the like of apt.conf.d still hold.

# debian_source: prints this machine's Debian mirror and suite
debian_source() {
    local suites='(bookworm|trixie|forky|sid|stable|testing|unstable)' found
    found=$(apt-get update --print-uris 2>/dev/null | sed -nE "s,^'(.*)/dists/$suites/InRelease'.*,\1 \2,p" | head -n 1)
    [ -z "${NESTOR_MIRROR:-}" ] || { found=${found#* } && found="$NESTOR_MIRROR ${found:-bookworm}"; }
    [ -n "$found" ] || { echo "E: no Debian mirror in this machine's apt sources (NESTOR_MIRROR=URL names one)"; return 1; } >&2
    echo "$found"
}

# in_world WORLD COMMAND ARG...: apt-get or apt-cache, with the directories of WORLD
in_world() {
    local w=$cache/apt/$1 command=$2
    shift 2
    "$command" -o Dir::Etc::SourceList="$w/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
        -o Dir::State="$w" -o Dir::State::status="$w/status" -o Dir::Cache="$w" \
        -o APT::Architecture="$(cat "$w/arch")" -o APT::Architectures::="$(cat "$w/arch")" \
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3 -o Acquire::http::Timeout=60 \
        -o Acquire::Check-Valid-Until=false -o Acquire::Languages=none \
        -o APT::Install-Recommends=false -o APT::Get::Assume-Yes=true "$@"
}

# open_world WORLD ARCH MIRROR SUITE...: makes WORLD and brings its lists up to date
open_world() {
    local w=$cache/apt/$1 arch=$2 mirror=$3 suite
    mkdir -p "$w/lists/partial" "$w/archives/partial"
    : >"$w/status"
    echo "$arch" >"$w/arch"
    for suite in "${@:4}"; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
    done >"$w/sources.list"
    in_world "$1" apt-get -o APT::Update::Error-Mode=any update
}

# Tools and kernel: newer than what the machine has. Libraries: the machine's own release, for arm64.
open_tools() {
    local source
    source=$(debian_source)
    open_world tools "$(dpkg --print-architecture)" "${source% *}" trixie trixie-backports
}
open_arm64() {
    local source
    source=$(debian_source)
    open_world arm64 arm64 "${source% *}" "${source#* }"
}

# get WORLD PACKAGE...: downloads PACKAGEs and all they depend on
get() {
    local suite
    suite=$(awk 'END { print $4 }' "$cache/apt/$1/sources.list")
    in_world "$1" apt-get -t "$suite" install --download-only "${@:2}"
}

# debs WORLD PACKAGE...: the archive files of PACKAGEs and all they depend on
debs() {
    local suite name version
    suite=$(awk 'END { print $4 }' "$cache/apt/$1/sources.list")
    in_world "$1" apt-get -t "$suite" install -s "${@:2}" | sed -nE 's/^Inst ([^ ]+) \(([^ ]+) .*/\1 \2/p' |
        while read -r name version; do
            ls "$cache/apt/$1/archives/${name%:*}_${version//:/%3a}_"*.deb
        done
}

# deb WORLD PACKAGE: the archive file of PACKAGE alone
deb() { debs "$@" | grep "/$2_"; }

got() { echo "$(du -sm "$cache/apt" | cut -f1) MB of packages"; }
