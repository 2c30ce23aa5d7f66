// SPDX-License-Identifier: GPL-2.0-only
/*
 * In the guest: asks the kernel's dma_map_benchmark, which has a device already, for
 * the mean time of a map and an unmap of one page, in us: "MAP UNMAP".
 *   dma_map SECONDS
 */
#include <fcntl.h>
#include <linux/map_benchmark.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	struct map_benchmark b = {
		.threads = 1,
		.seconds = argc > 1 ? atoi(argv[1]) : 1,
		.node = -1,
		.dma_bits = 32,
		.dma_dir = DMA_MAP_BIDIRECTIONAL,
		.granule = 1,
	};
	int fd = open("/sys/kernel/debug/dma_map_benchmark", O_RDWR);

	if (fd < 0 || ioctl(fd, DMA_MAP_BENCHMARK, &b)) {
		perror("dma_map_benchmark");
		return 1;
	}
	printf("%.1f %.1f\n", b.avg_map_100ns / 10.0, b.avg_unmap_100ns / 10.0);
	return 0;
}
