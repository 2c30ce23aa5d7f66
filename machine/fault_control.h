/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_FAULT_CONTROL_H
#define MACHINE_FAULT_CONTROL_H

#include "control/control.h"

struct fault_times;
struct machine;

/* Page faults on the control socket; under the device lock. */

/* Each bridge's counts, and what waits there, into an array (docs/json/). */
void faults_stat(const struct machine *m, json_t *list);
void faults_debug(const struct machine *m, json_t *list);

/* Answers by the time that they took. */
json_t *fault_times_stat(const struct fault_times *t);

/* fault_by_hand.c: raised as if by the function itself. NULL: @answer is given once; or what was
 * expected. */
const char *faults_raise(struct machine *m, const struct control_fault *f,
                         struct control_answer *answer);

/* fault_events.c: as the machine is made, after its hub. */
void fault_events_init(struct machine *m);
/* What was not told yet is, before who controls it hears of its end. */
void fault_events_end(struct machine *m);

/* What is no bridge's: of emulated IOMMUs and of DMA endpoints' mailboxes. */
struct faults_left {
	u64 lost;       /* events that an IOMMU had no room for */
	u64 automatic;  /* page requests that were answered in the guest's stead */
	u64 unanswered; /* stalls and groups of page requests that wait now; */
	u64 timed_out;  /* that waited for too long */
};
struct faults_left faults_left(const struct machine *m);

/* --strict-io: the exit code, which was @status: STATUS_IO_LOST in place of 0, and a line, where
 * page faults were lost or had no answer. */
int faults_strict(const struct machine *m, int status);

#endif
