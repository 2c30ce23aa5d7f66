/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_CHECK_ROWS_H
#define MACHINE_CHECK_ROWS_H

#include "machine/check.h"
#include "vfio/function.h"
#include "vfio/probe.h"

enum state { CHECK_OK, CHECK_LACKS, CHECK_UNKNOWN };

/* What is known of the host while it is checked. */
struct checker {
	const struct check_host *host;
	struct log *log;
	struct host_functions functions;
	int iommufd; /* 0, or -errno of opening it */
	unsigned int nr;
	struct tried {
		const struct host_function *function;
		struct vfio_probe probe;
	} * tried; /* one function of each IOMMU */
};

struct finding {
	enum state state;
	char text[256]; /* what there is, or what is missing and where it comes from */
};

/* What each is for. A host that lacks something of the first part runs no guest. */
enum part { PART_RUN, PART_ASSIGN, PART_NEST, PART_FAULTS, NR_PARTS };

/* One thing that a host has or lacks; or each of its IOMMUs, of which a function was tried. */
struct check {
	enum part part;
	const char *name;
	void (*host)(const struct checker *c, struct finding *f); /* NULL: of an IOMMU */
	void (*iommu)(const struct tried *t, struct finding *f);
	void (*untried)(const struct checker *c, struct finding *f);
};

extern const struct check checks[];
extern const size_t nr_checks;

#endif
