#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The control socket under a client of QEMU's, Debian's python3-qemu-qmp, on this machine; behind it is
# no guest but the unit tests' fake KVM.
set -u
tests=$(cd "$(dirname "$0")" && pwd)
BUILD=$(realpath "${BUILD:-build}")
library=$("$tests/../lab/setup.sh" env | sed -n 's/^LAB_QMP := //p')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR=$work PYTHONPATH=$library PYTHONDONTWRITEBYTECODE=1

if [ ! -d "$library/qemu/qmp" ]; then
	echo "SKIP qmp: QEMU's client: lab/setup.sh lab has not been run"
	exit
fi
mkfifo "$work/path"
timeout 60 "$BUILD/native/qmp-server" stock >"$work/path" &
server=$!
read -r path <"$work/path"
if ! python3 "$tests/qmp/client.py" "$path"; then
	echo "FAIL qmp: the client itself: see the log"
	kill $server
fi
wait $server
status=$?
if [ $status = 0 ] && [ ! -e "$path" ]; then
	echo "PASS qmp: the server ends with 0 and its socket goes"
else
	echo "FAIL qmp: the server ends with 0 and its socket goes: exit code $status"
fi
