/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_LOG_H
#define VMM_LOG_H

#include "vmm/types.h"

/*
 * What Nestor says, all of it on stderr: one line for the user when something
 * fails (machine/ alone calls log_error), and traces by topic (--trace).
 * A guest can cause a trace line, never an error line.
 */
enum log_topic {
	TRACE_KVM,
	TRACE_VCPU,
	TRACE_MMIO,
	TRACE_IRQ,
	TRACE_PCI,
	TRACE_VIRTIO,
	TRACE_BOOT,
	NR_TRACE_TOPICS
};

struct log {
	u32 topics; /* BIT(enum log_topic) */
};

extern const char *const log_topic_names[NR_TRACE_TOPICS];

__attribute__((format(printf, 1, 2))) void log_error(const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void log_trace(enum log_topic topic, const char *fmt, ...);

/* Adds the topics of a comma-separated list ("all": every one). False: it names an unknown one. */
bool log_enable(struct log *log, const char *list);

#define trace(log, topic, ...)                         \
	do {                                           \
		if ((log)->topics & BIT(topic))        \
			log_trace(topic, __VA_ARGS__); \
	} while (0)

#endif
