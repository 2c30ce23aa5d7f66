/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <jansson.h>

#include "vmm/types.h"

struct control;
struct json_log;
struct vm;

/*
 * Control of a running guest: the socket by its name, the commands on it, and
 * the events, which also go to the JSON log. It is made before the first
 * machine and outlives each: a reboot is an event on the same socket.
 */

/* An address of a stream's, behind an IOMMU. */
#define CONTROL_NO_SSID (~0u)
struct control_walk {
	const char *iommu;
	u32 sid, ssid;
	u64 iova;
};

/* Faults of a function's, each 4 KiB behind the one before; or page requests, which are one group.
 */
struct control_fault {
	const char *device; /* as the guest has it: [SEGMENT:]BUS:DEVICE.FUNCTION */
	u64 addr;
	u32 pasid;        /* or CONTROL_NO_SSID */
	const char *perm; /* letters of rwx */
	u32 count;
	u32 rate;     /* a second; 0: each when the one before has ended */
	bool grouped; /* into this one; */
	u32 group;
	bool last; /* its last request is the last of them */
};
/* Who waits for what became of them; @result is given away. */
struct control_answer {
	void (*done)(struct control_answer *a, json_t *result);
};

/* What the commands ask of the machine. Called under the device lock. */
struct control_ops {
	/* Presses the power button. -ENODEV: there is none. */
	int (*press_power)(void *machine);
	/* Each device's counters; and its state, while no vCPU runs: an array. */
	json_t *(*stat)(void *machine);
	json_t *(*debug)(void *machine);
	/*
	 * What an IOMMU makes of an address, a text a step into @steps; an error that it is to
	 * have. NULL, or what was expected.
	 */
	const char *(*walk)(void *machine, const struct control_walk *walk, json_t *steps);
	const char *(*inject)(void *machine, const char *iommu, const char *error);
	/* NULL: @a is done once, now or later, at the latest as the machine goes; or what was
	 * expected. */
	const char *(*fault)(void *machine, const struct control_fault *f,
	                     struct control_answer *a);
};

/*
 * @name: a valid one (control/socket.h). @log: NULL, or where events go; it
 * outlives this. 0 or -errno of the socket; then *c is there all the same, and
 * is no more than the log.
 */
int control_create(struct control **c, const char *name, struct json_log *log);
void control_destroy(struct control *c);
/* Where its socket is, or would be. */
const char *control_path(const struct control *c);

/* A machine that is about to run, with its loop. */
void control_attach(struct control *c, struct vm *vm, const struct control_ops *ops, void *machine);
/* The guest has loaded a kernel for when it crashes. Under the device lock. */
void control_crash_loaded(struct control *c);
/* Faults that nobody served; @data (docs/json/log.json) is taken. Under the device lock. */
void control_faults(struct control *c, json_t *data);
/* After loop_drain: it has run. @reboots: another follows. */
void control_detach(struct control *c, bool reboots);
/* The process is about to end with this status. */
void control_exit(struct control *c, int status);

#endif
