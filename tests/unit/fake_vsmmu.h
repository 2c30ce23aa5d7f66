/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_UNIT_FAKE_VSMMU_H
#define TESTS_UNIT_FAKE_VSMMU_H

#include "tests/unit/fake_function.h"
#include "tests/unit/fake_iommufd.h"
#include "tests/unit/smmu_expect.h"
#include "vfio/vsmmu.h"

/* An SMMU whose endpoints 0 and 1 are functions vfio0 and vfio1 of a fake host's. */
#define FAKE_VSMMU_STREAMS 2
struct fake_vsmmu {
	struct fake_smmu smmu;
	struct vfio_context context;
	struct vfio_device devs[FAKE_VSMMU_STREAMS];
	struct vsmmu *vsmmu;
	struct vsmmu_stream *streams[FAKE_VSMMU_STREAMS];
	bool leaks; /* what could not be destroyed goes with the context */
};
extern struct fake_vsmmu fake_v;

/* ID registers as the fake host can have them, and one field by its name (NULL: none). */
struct smmu_id fake_vsmmu_id(const char *field, u64 value);
/* @id NULL: the default of these. */
void fake_vsmmu_make(const struct smmu_id *id);
/* In the order of a machine; nothing is left of any object of the host's. */
void fake_vsmmu_unmake(void);

/* Of endpoint @i an STE of stage 1, with CD @i; nobody is told. */
void fake_vsmmu_put_stage1(unsigned int i);
/* The host has done what it was asked to, and what followed from that. */
void fake_vsmmu_settle(void);
/* Queues and tables, enabled, and installed. */
void fake_vsmmu_enable(void);
/* CMD_CFGI_STE of endpoint @i, CMD_SYNC, and it is complete when the host is done. */
void fake_vsmmu_configure(unsigned int i);

/* The loop runs until then. */
#define until(cond)                                                    \
	do {                                                           \
		for (unsigned int n_ = 0; n_ < 10000 && !(cond); n_++) \
			fake_vm_run(&fake_v.smmu.vm, 1);               \
		cr_assert(eq(int, !!(cond), 1));                       \
	} while (0)

/* Whether the host has had a command with that first word. */
static inline bool was_issued(u64 w0)
{
	unsigned int n = 0;

	while (n < fake_slice.nr_commands && fake_slice.commands[n][0] != w0)
		n++;
	return n < fake_slice.nr_commands;
}

#endif
