#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the shared folder as it is found, changed, and its driver's comings and goings, by fs.* on the command line.
word() { sed -n "s/.*\bfs\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
tree() { (cd /mnt && { find . | sort; find . -type f | sort | xargs sha256sum; } | sha256sum | cut -d' ' -f1); }

mkdir /mnt
mount -t virtiofs shared /mnt || exit 1
if [ "$(word what)" = death ]; then
	cat /mnt/file
	umount /mnt
	echo "the folder was there"
	until awk '/virtio.*-config/ && $2 > 0 { found = 1 } END { exit !found }' /proc/interrupts; do usleep 20000; done
	echo "the device says that it needs a reset"
	exit 0
fi
if [ "$(word what)" = ro ]; then
	cat /mnt/file || exit 2
	! echo new >/mnt/new 2>/dev/null || exit 3
	exit 0
fi
if [ "$(word what)" = two ]; then
	mkdir /other
	mount -t virtiofs another /other || exit 2
	echo "one: $(cat /mnt/file), two: $(cat /other/file)"
	exit 0
fi
echo "before: $(tree)"
[ "$(word what)" != many ] || exit 0

# A file longer than any request, one rewritten, one gone, one moved, one behind a link.
head -c 1500000 /dev/urandom >/mnt/d1/long || exit 4
echo changed >/mnt/d1/f1 || exit 5
rm /mnt/d2/f102 || exit 6
mv /mnt/d3/f203 /mnt/moved || exit 7
ln -s moved /mnt/link && chmod 600 /mnt/moved || exit 8
umount /mnt
driver=/sys/bus/virtio/drivers/virtiofs
name=$(basename "$(ls -d $driver/virtio*)")
for round in 1 2 3; do
	echo "$name" >$driver/unbind || exit 9
	echo "$name" >$driver/bind || exit 10
	mount -t virtiofs shared /mnt || exit 11
	[ "$round" = 3 ] || umount /mnt
done
echo "after: $(tree)"
umount /mnt
