// SPDX-License-Identifier: GPL-2.0-only
/* Files that the command line names, opened so that nothing odd can hold the start up. */
#include "machine/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

int file_open(const char *path, int flags, int *fd, u64 *size)
{
	struct stat st;

	*fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0 || fstat(*fd, &st))
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return -ESPIPE;
	*size = st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(*fd, BLKGETSIZE64, size))
		return -errno;
	/* io_uring would take it as a wish to be refused rather than to wait for the disk. */
	return fcntl(*fd, F_SETFL, flags) ? -errno : 0;
}
