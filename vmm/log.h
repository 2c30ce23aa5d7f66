/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_LOG_H
#define VMM_LOG_H

#include "vmm/types.h"

/*
 * What Nestor says on stderr: one line for the user when something fails
 * (machine/ alone calls log_error), and traces by topic (--trace), which also go
 * to a sink if there is one (--log-json). A guest can cause a trace line, never
 * an error line.
 */
enum log_topic {
	TRACE_KVM,
	TRACE_VCPU,
	TRACE_MMIO,
	TRACE_IRQ,
	TRACE_PCI,
	TRACE_VIRTIO,
	TRACE_IOMMU,
	TRACE_SMMU,
	TRACE_BOOT,
	TRACE_HELPER,
	TRACE_UAPI,
	TRACE_FAULT,
	NR_TRACE_TOPICS
};

/* Takes each trace line as well; from any thread, with any lock held. */
struct log_sink {
	void (*line)(struct log_sink *sink, enum log_topic topic, const char *text);
};

struct log {
	u32 topics; /* BIT(enum log_topic) */
	struct log_sink *sink;
};

#define LOG_TOPICS "kvm, vcpu, mmio, irq, pci, virtio, iommu, smmu, boot, helper, uapi, fault, all"

extern const char *const log_topic_names[NR_TRACE_TOPICS];

__attribute__((format(printf, 1, 2))) void log_error(const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void log_trace(const struct log *log, enum log_topic topic,
                                                     const char *fmt, ...);

/* Adds the topics of a comma-separated list ("all": every one). False: it names an unknown one. */
bool log_enable(struct log *log, const char *list);

#define trace(log, topic, ...)                              \
	do {                                                \
		if ((log)->topics & BIT(topic))             \
			log_trace(log, topic, __VA_ARGS__); \
	} while (0)

#endif
