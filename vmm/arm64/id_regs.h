/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_ARM64_ID_REGS_H
#define VMM_ARM64_ID_REGS_H

#include "vmm/types.h"

struct vm;

/* What an ID register is to say instead of what the host's KVM has in it. */
struct id_change {
	u64 reg; /* KVM's number of it */
	u64 mask, val;
};

/*
 * @name: REGISTER.FIELD or REGISTER, as Arm names them (DDI 0487, D24.2), in either case; or
 * s3_OP1_c0_cM_OP2 for a register without a name here. NULL: *c is filled in; or
 * what was expected, in @why of @len bytes.
 */
const char *id_change_parse(const char *name, u64 val, struct id_change *c, char *why, size_t len);

/*
 * Makes the changes, for all vCPUs, which have been initialised and have not run.
 * 0 or -errno, and @why of @len bytes names the register, the value and what
 * this host allows.
 */
int id_changes_apply(struct vm *vm, const struct id_change *changes, unsigned int nr, char *why,
                     size_t len);

/* The field, "REGISTER.FIELD", is no more than @most, for all vCPUs, as above. 0, or -errno: it is
 * as it was; -EINVAL: the user has said what it is. */
int id_limit(struct vm *vm, const char *field, u64 most);

#endif
