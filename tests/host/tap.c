// SPDX-License-Identifier: GPL-2.0-only
/* Makes a tap interface that stays: tap NAME [multi_queue]. Busybox makes none
 * with several queues. */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR);

	if (argc < 2 || strlen(argv[1]) >= sizeof(req.ifr_name))
		return 2;
	strcpy(req.ifr_name, argv[1]);
	if (argc > 2)
		req.ifr_flags |= IFF_MULTI_QUEUE;
	if (fd >= 0 && !ioctl(fd, TUNSETIFF, &req) && !ioctl(fd, TUNSETPERSIST, 1))
		return 0;
	perror(argv[1]);
	return 1;
}
