#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The program with sanitizers, with the libraries beside it.
dir=${0%/*}
exec "$dir/lib/ld-linux-aarch64.so.1" --library-path "$dir/lib" "$dir/nestor" "$@"
