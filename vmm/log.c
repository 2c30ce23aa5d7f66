// SPDX-License-Identifier: GPL-2.0-only
/* Error lines for the user and traces by topic. */
#include "vmm/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const log_topic_names[NR_TRACE_TOPICS] = {
	[TRACE_KVM] = "kvm",       [TRACE_VCPU] = "vcpu",     [TRACE_MMIO] = "mmio",
	[TRACE_IRQ] = "irq",       [TRACE_PCI] = "pci",       [TRACE_BOOT] = "boot",
	[TRACE_VIRTIO] = "virtio", [TRACE_HELPER] = "helper", [TRACE_IOMMU] = "iommu",
	[TRACE_SMMU] = "smmu",     [TRACE_UAPI] = "uapi",     [TRACE_FAULT] = "fault",
};

#define LINE_SIZE 1024

/* One write a line, so that lines of several threads do not mix. */
static void say(const char *prefix, const char *line)
{
	fprintf(stderr, "%s: %s\n", prefix, line);
}

void log_error(const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	say("nestor", line);
}

void log_trace(const struct log *log, enum log_topic topic, const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	say(log_topic_names[topic], line);
	if (log->sink)
		log->sink->line(log->sink, topic, line);
}

static bool enable_one(struct log *log, const char *name, size_t len)
{
	if (len == 3 && !strncmp(name, "all", len)) {
		log->topics = GENMASK(NR_TRACE_TOPICS - 1, 0);
		return true;
	}
	for (unsigned int i = 0; i < NR_TRACE_TOPICS; i++) {
		if (strlen(log_topic_names[i]) == len && !strncmp(name, log_topic_names[i], len)) {
			log->topics |= BIT(i);
			return true;
		}
	}
	return false;
}

bool log_enable(struct log *log, const char *list)
{
	for (;;) {
		size_t len = strcspn(list, ",");

		if (!enable_one(log, list, len))
			return false;
		if (!list[len])
			return true;
		list += len + 1;
	}
}
