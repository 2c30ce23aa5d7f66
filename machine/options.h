/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_OPTIONS_H
#define MACHINE_OPTIONS_H

#include "vmm/types.h"

#define MAX_DISKS    16
#define NSEC_PER_SEC 1000000000ULL

/* Where a device goes: of any device option. */
struct place {
	const char *bus;   /* a root port's ID; NULL: none asked for */
	const char *iommu; /* an IOMMU's ID; NULL or "none": behind none */
	u64 segment;
};

struct disk_option {
	const char *path;
	bool read_only;
	struct place place;
};

/* What the command line asked for, checked in itself; files are not opened yet. */
struct options {
	const char *kernel, *initrd, *params;
	unsigned int cpus;
	u64 mem; /* bytes */
	struct disk_option disks[MAX_DISKS];
	unsigned int nr_disks;
	u32 timeout;  /* seconds; 0: none */
	u64 deadline; /* when it is over, all reboots included: ns of CLOCK_MONOTONIC */
	u32 trace;    /* BIT(enum log_topic) */
	const char *dump_dtb;
	bool reboot;
	bool overcommit;
	bool help;
	char why[256]; /* what was expected, where it takes more than a fixed text */
};

/*
 * The arguments after `nestor run`. False: one line was printed that names the
 * option, the value and what was expected. Strings stay the caller's (argv).
 */
bool options_parse(struct options *o, int argc, char **argv);
void options_help(void);

#endif
