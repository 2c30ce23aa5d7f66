#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Makes a kernel's packed forms, and ones that are wrong: kernels.sh FOLDER IMAGE VMLINUZ.EFI. Linux makes the right
# ones itself, by `make Image.gz`, `make Image.zst` and CONFIG_EFI_ZBOOT; the last is that.
set -eu
folder=$1 image=$2
mkdir -p "$folder"
cp "$3" "$folder/vmlinuz.efi"
cd "$folder"

le32() { printf "\\x$(printf %02x $(($1 & 255)))\\x$(printf %02x $(($1 >> 8 & 255)))\\x$(printf %02x $(($1 >> 16 & 255)))\\x$(printf %02x $(($1 >> 24 & 255)))"; }

# zboot TYPE PAYLOAD: Linux, drivers/firmware/efi/libstub/zboot-header.S; the code that would unpack it is left out
zboot() {
	printf 'MZ\0\0zimg'
	le32 4096
	le32 "$(stat -c %s "$2")"
	head -c 8 /dev/zero
	printf %s "$1"
	head -c $((4096 - 24 - ${#1})) /dev/zero
	cat "$2"
	head -c 4096 /dev/zero
}

gzip -1 -n -c "$image" >Image.gz
zstd -q -1 -f "$image" -o Image.zst
zboot gzip Image.gz >zboot-gzip
zboot zstd Image.zst >zboot-zstd

size=$(stat -c %s Image.gz)
head -c $((size / 2)) Image.gz >cut
{ head -c $((size - 8)) Image.gz; printf 'notacrc!'; } >corrupt
{ cat Image.gz; printf 'more'; } >followed
{ head -c 65536 "$image"; head -c 1G /dev/zero; } | zstd -q -1 -f -o bomb
