#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# virtio-fs: a folder that virtiofsd shares is the same from both sides; and its end.
. "$SHARE/tests/host/lib.sh"
with_helpers
command -v virtiofsd >/dev/null || [ -e /usr/libexec/virtiofsd ] || { skip "fs" "virtiofsd is not installed"; exit 0; }
SEED=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
echo "fs: SEED=$SEED"
FILES=300
[ -z "${SOAK:-}" ] || FILES=1000

# make_tree DIR FILES: that many, in folders of 100; those of the first ten have up to 4 KiB, others a line
make_tree() {
	rm -rf "$1"
	mkdir -p "$1"
	(cd "$1" && mkdir $(seq $(($2 / 100)) | sed 's/^/d/') && awk -v n="$2" -v seed="$SEED" 'BEGIN {
		srand(seed)
		for (i = 0; i < n; i++) {
			file = "d" int(i / 100) + 1 "/f" i
			for (line = i < 1000 ? int(rand() * rand() * 200) : 0; line >= 0; line--) print rand() rand() >file
			close(file)
		} }')
}
# tree DIR: every name in it, and all contents (as tests/guest/fs.sh has it)
tree() { (cd "$1" && { find . | sort; find . -type f | sort | xargs sha256sum; } | sha256sum | cut -d' ' -f1); }

# fs WORDS STATUS ARG...: a guest with the folder as "shared"
fs() {
	words=$1 status=$2
	shift 2
	run "$status" --timeout 900 -k "$IMAGE" -i "$SHARE/initrd-fs" -c 2 -m 512 -p "console=ttyS0 quiet $words" "$@"
}

# helpers: the processes of virtiofsd and its guardian
helpers() { ps -o pid,comm | awk '$2 ~ /^(virtiofsd|ld-linux|nestor-helper)/ { print $1 }'; }
gone() {
	i=0
	WHY="a helper is still there after 10 s"
	while [ -n "$(helpers)" ]; do
		[ $((i += 1)) -lt 500 ] || return 1
		usleep 20000
	done
}

same() {
	make_tree "$WORK/dir" $FILES
	before=$(tree "$WORK/dir")
	fs "" 0 --fs "$WORK/dir,tag=shared" "$@" && said "before: $before" && said "after: $(tree "$WORK/dir")" || return 1
	WHY="what the guest did is not to be seen"
	[ "$(cat "$WORK/dir/d1/f1")" = changed ] && [ ! -e "$WORK/dir/d2/f102" ] && [ ! -e "$WORK/dir/d3/f203" ] &&
		[ "$(readlink "$WORK/dir/link")" = moved ] && [ "$(stat -c %a "$WORK/dir/moved")" = 600 ] && gone
}
case_of "fs: pci: $FILES files are the same inside and outside, and what the guest changes; the driver comes and goes" same
many() {
	make_tree "$WORK/dir" 100000
	before=$(tree "$WORK/dir")
	fs fs.what=many 0 --timeout 7200 --fs "$WORK/dir,tag=shared" && said "before: $before" && gone
}
long_case "fs: a hundred thousand files are the same inside and outside" many
FILES=300
long_case "fs: mmio: the same with 300 files" same --virtio-transport mmio
make_tree "$WORK/dir" 300
echo one >"$WORK/dir/file"
mkdir -p "$WORK/other"
echo two >"$WORK/other/file"

read_only() { fs fs.what=ro 0 --fs "$WORK/dir,tag=shared,ro,sandbox=chroot" && gone; }
case_of "fs: read-only, in a chroot: the guest reads and cannot write" read_only
two() { fs fs.what=two 0 --fs "$WORK/dir,tag=shared" --fs "$WORK/other,tag=another" && said "one: one, two: two" && gone; }
long_case "fs: two folders" two

# start: a guest in the background, as $pid, that has seen the folder
start() {
	: >"$OUT" # the one before's is not this one's
	"$NESTOR" run --timeout 180 -k "$IMAGE" -i "$SHARE/initrd-fs" --fs "$WORK/dir,tag=shared" \
		-p "console=ttyS0 quiet fs.what=death" >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q "the folder was there" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done
	WHY="no helper runs"
	[ -n "$(helpers)" ]
}
ended() {
	wait $pid
	got=$?
	WHY="exit code $got, expected $1"
	[ $got = "$1" ] && gone
}
dies() {
	start || return 1
	kill -9 $(helpers | sed 1d)
	ended 0 && said "the device says that it needs a reset" &&
		said "nestor: --fs $WORK/dir: virtiofsd ended with exit code 137" && said "the guest's folder is gone"
}
case_of "fs: virtiofsd's death is one line and a device that needs a reset, and the guest goes on" dies
# idles: likewise, of whose folder nothing is used
idles() {
	: >"$OUT"
	"$NESTOR" run --timeout 180 -k "$SHARE/guests/uart.bin" --fs "$WORK/dir,tag=shared" -p ticks >"$OUT" 2>&1 </dev/null &
	pid=$!
	until grep -q "tick 1" "$OUT" || ! kill -0 $pid 2>/dev/null; do usleep 20000; done
	WHY="no helper runs"
	[ -n "$(helpers)" ]
}
killed() { idles && kill -KILL $pid && ended 137; }
case_of "fs: virtiofsd ends with Nestor: SIGKILL" killed
terminated() { idles && kill -TERM $pid && ended 143; }
case_of "fs: virtiofsd ends with Nestor: SIGTERM" terminated

# impostor SCRIPT: something else by that name
impostor() {
	mkdir -p "$WORK/bad"
	printf '#!/bin/sh\n%s\n' "$1" >"$WORK/bad/virtiofsd"
	chmod +x "$WORK/bad/virtiofsd"
	PATH="$WORK/bad:$PATH" run 3 -k "$IMAGE" --fs "$WORK/dir,tag=shared"
}
refuses() { impostor 'echo "not today" >&2; exit 4' && said "--fs $WORK/dir: virtiofsd ended with exit code 4: not today" && gone; }
case_of "fs: a program that ends at once is an error: exit 3" refuses
silent() { impostor 'exec sleep 60' && said "--fs $WORK/dir: virtiofsd: Connection timed out: expected one that speaks vhost-user" && gone; }
case_of "fs: a program that does not answer is an error: exit 3" silent
