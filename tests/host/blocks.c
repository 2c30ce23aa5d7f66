// SPDX-License-Identifier: GPL-2.0-only
/* Gives a loop device another logical block size: blocks DEVICE BYTES. Busybox cannot. */
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int fd = argc == 3 ? open(argv[1], O_RDWR) : -1;

	if (fd >= 0 && !ioctl(fd, LOOP_SET_BLOCK_SIZE, strtoul(argv[2], NULL, 0)))
		return 0;
	perror(argv[1]);
	return 1;
}
