// SPDX-License-Identifier: GPL-2.0-only
/* Random command lines of `nestor run`, and what each of their devices is to be behind. */
#include "tests/unit/told_machine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What a line is made with. */
struct maker {
	struct command *w;
	u64 state;
	u32 segments[PLATFORM_SEGMENTS];
	unsigned int nr_segments;
	bool takes_messages;
	bool mmio; /* virtio devices are over it, where they do not say */
	unsigned int nr_slots;
	unsigned int nr_on_root[PLATFORM_SEGMENTS];
	int owner[PLATFORM_SEGMENTS]; /* the IOMMU that has it by buses=; -1: none has */
	bool taken[ITEMS];            /* a port: it has its device */
};

/* splitmix64 */
static u64 next(struct maker *m)
{
	u64 z = m->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned int below(struct maker *m, unsigned int n)
{
	return next(m) % n;
}

static bool percent(struct maker *m, unsigned int n)
{
	return below(m, 100) < n;
}

/* Few of them mostly, and sometimes as many as there can be. */
static unsigned int some(struct maker *m, unsigned int few, unsigned int most)
{
	return percent(m, 8) ? most : below(m, (few < most ? few : most) + 1);
}

__attribute__((format(printf, 2, 3))) static void add_text(struct item *item, const char *format,
                                                           ...)
{
	const size_t len = strlen(item->text);
	va_list args;

	va_start(args, format);
	vsnprintf(item->text + len, sizeof(item->text) - len, format, args);
	va_end(args);
}

static struct item *add(struct maker *m, const char *option)
{
	struct item *item = &m->w->all[m->w->nr++];

	assert(m->w->nr <= ITEMS); /* more than any line has */
	*item = (struct item){ .option = option, .iommu = -1, .port = -1 };
	add_text(item, "--%s", option);
	return item;
}

__attribute__((format(printf, 2, 3))) static void add_other(struct maker *m, const char *format,
                                                            ...)
{
	va_list args;

	assert(m->w->nr_other < OTHERS);
	va_start(args, format);
	vsnprintf(m->w->other[m->w->nr_other++], sizeof(m->w->other[0]), format, args);
	va_end(args);
}

/* The index of a random item for which @fits; -1: there is none. */
static int pick(struct maker *m, bool (*fits)(const struct maker *m, unsigned int i))
{
	unsigned int nr = 0;
	int found = -1;

	for (unsigned int i = 0; i < m->w->nr; i++)
		if (fits(m, i) && !below(m, ++nr))
			found = i;
	return found;
}

static bool is_free_port(const struct maker *m, unsigned int i)
{
	return !strcmp(m->w->all[i].option, "root-port") && !m->taken[i];
}

static bool is_iommu(const struct maker *m, unsigned int i)
{
	return !strcmp(m->w->all[i].option, "iommu");
}

/* A key: the first is behind '=' where the option has no other value. */
static void add_key(struct item *item, const char *key, const char *val)
{
	const bool first = !*item->value && !strchr(item->text, '=');

	add_text(item, "%c%s=%s", first ? '=' : ',', key, val);
}

static void add_number(struct item *item, const char *key, u32 val)
{
	char text[16];

	snprintf(text, sizeof(text), val % 2 ? "%u" : "0x%x", val);
	add_key(item, key, text);
}

/* 32 devices are on a root bus. */
static void go_to_root(struct maker *m, struct item *item)
{
	unsigned int s = percent(m, 60) ? below(m, m->nr_segments) : 0;

	for (unsigned int i = 0; m->nr_on_root[s] == 32 && i < m->nr_segments; i++)
		s = (s + 1) % m->nr_segments;
	m->nr_on_root[s]++;
	item->segment = m->segments[s];
	if (s || percent(m, 10))
		add_number(item, "segment", item->segment);
}

/* Where its bus is an IOMMU's: false, it is not. What no IOMMU is before is then refused. */
static bool is_owned(struct maker *m, struct item *item, bool iommus)
{
	unsigned int s = 0;

	while (m->segments[s] != item->segment)
		s++;
	if (item->over_mmio || !iommus || m->owner[s] < 0)
		return false;
	item->iommu = m->owner[s];
	if (percent(m, 30))
		add_key(item, "iommu", m->w->all[item->iommu].value);
	return true;
}

/* Somewhere, and behind something. @iommus: it may be. */
static void place(struct maker *m, struct item *item, bool iommus)
{
	const int port = item->over_mmio || percent(m, 50) ? -1 : pick(m, is_free_port);
	const int iommu = iommus && percent(m, 70) ? pick(m, is_iommu) : -1;

	item->port = port;
	if (port >= 0) {
		m->taken[port] = true;
		item->segment = m->w->all[port].segment;
		add_key(item, "bus", m->w->all[port].value);
		if (percent(m, 20))
			add_number(item, "segment", item->segment);
	} else if (!item->over_mmio) {
		go_to_root(m, item);
	}
	if (is_owned(m, item, iommus))
		return;
	item->iommu = iommu;
	if (iommu >= 0)
		add_key(item, "iommu", m->w->all[iommu].value);
	else if (percent(m, 20))
		add_key(item, "iommu", "none");
}

/* A virtio device; NULL: there is no slot for it. */
static struct item *add_virtio(struct maker *m, const char *option)
{
	struct item *item;

	if (m->mmio && m->nr_slots == PLATFORM_VIRTIO_MMIO)
		return NULL;
	item = add(m, option);
	item->over_mmio = m->mmio;
	m->nr_slots += m->mmio;
	return item;
}

__attribute__((format(printf, 2, 3))) static void set_value(struct item *item, const char *format,
                                                            ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(item->value, sizeof(item->value), format, args);
	va_end(args);
	add_text(item, "=%s", item->value);
}

static void make_segments(struct maker *m)
{
	const unsigned int nr = percent(m, 40) ? 0 : some(m, 4, PLATFORM_SEGMENTS - 1);

	m->nr_segments = 1;
	while (m->nr_segments <= nr) {
		const u32 number = percent(m, 50) ? 1 + below(m, 9) + m->nr_segments * 10
		                                  : 1 + below(m, 0xffff);
		bool known = false;

		for (unsigned int i = 1; i < m->nr_segments; i++)
			known |= m->segments[i] == number;
		if (known)
			continue;
		m->segments[m->nr_segments++] = number;
		add_other(m, number % 2 ? "--segment=%u" : "--segment=0x%x", number);
	}
}

/* At most as many to a segment as it has buses behind its root bus. */
static void make_ports(struct maker *m)
{
	unsigned int buses = 256, nr = some(m, 10, 32);

	for (unsigned int n = 1; n < m->nr_segments; n *= 2)
		buses /= 2;
	while (nr--) {
		const unsigned int s = below(m, m->nr_segments);
		struct item *port;

		if (m->nr_on_root[s] == buses - 1 || m->nr_on_root[s] == 20)
			continue;
		port = add(m, "root-port");
		set_value(port, "p%u", nr);
		port->segment = m->segments[s];
		m->nr_on_root[s]++;
		if (s || percent(m, 20))
			add_number(port, "segment", port->segment);
	}
}

static void make_smmu(struct maker *m, struct item *iommu)
{
	const bool said = percent(m, 70);

	iommu->smmu = true;
	iommu->sends_msis = said && m->w->its && percent(m, 60);
	add_key(iommu, "type", "smmuv3");
	if (said)
		add_key(iommu, "interrupts", iommu->sends_msis ? "msi" : "wired");
	if (percent(m, 30))
		add_key(iommu, "idr0.httu", percent(m, 50) ? "1" : "0");
}

static void make_viommu(struct maker *m, struct item *iommu)
{
	const bool said = percent(m, 50);

	iommu->over_mmio = said ? percent(m, 50) : m->mmio;
	iommu->over_mmio &= m->nr_slots < PLATFORM_VIRTIO_MMIO;
	m->nr_slots += iommu->over_mmio;
	add_key(iommu, "type", "virtio");
	if (said || iommu->over_mmio != m->mmio)
		add_key(iommu, "transport", iommu->over_mmio ? "mmio" : "pci");
	if (!iommu->over_mmio)
		go_to_root(m, iommu);
	if (percent(m, 30))
		add_key(iommu, "msi", "translate");
}

/* All of a segment that no other has. */
static void take_segment(struct maker *m, struct item *iommu)
{
	const unsigned int s = below(m, m->nr_segments);

	if (m->owner[s] >= 0)
		return;
	m->owner[s] = iommu - m->w->all;
	add_number(iommu, "buses", m->segments[s]);
}

static void make_iommus(struct maker *m)
{
	const unsigned int nr = some(m, 5, PLATFORM_IOMMUS), smmus = below(m, 101);

	for (unsigned int i = 0; i < nr; i++) {
		struct item *iommu = add(m, "iommu");

		set_value(iommu, "x%u", i);
		if (percent(m, smmus))
			make_smmu(m, iommu);
		else
			make_viommu(m, iommu);
		if (percent(m, 15))
			take_segment(m, iommu);
	}
}

/* @nr devices whose value is @format with a number. */
static void make_devices(struct maker *m, const char *option, const char *format, unsigned int nr,
                         const char *keys, bool iommus)
{
	for (unsigned int i = 0; i < nr; i++) {
		struct item *item = add_virtio(m, option);

		if (!item)
			return;
		snprintf(item->value, sizeof(item->value), format, i + 3);
		add_text(item, "=%s", item->value);
		if (*keys)
			add_text(item, ",%s%u", keys, i);
		place(m, item, iommus);
	}
}

static void make_dma_tests(struct maker *m)
{
	for (unsigned int nr = some(m, 4, 16); nr--;) {
		struct item *item = add(m, "dma-test");

		if (percent(m, 30))
			add_text(item, "=ats,pri");
		item->pasid = percent(m, 30) ? 1 + below(m, 20) : 0;
		if (item->pasid)
			add_number(item, "pasid", item->pasid);
		place(m, item, true);
		item->stalls = item->iommu >= 0 && m->w->all[item->iommu].smmu && percent(m, 40);
		if (item->stalls)
			add_text(item, "%cstall", strchr(item->text, '=') ? ',' : '=');
	}
}

/* Below everything that an IOVA must not be confused with; something has to have doorbells there.
 */
static void make_window(struct maker *m)
{
	struct command *w = m->w;

	if (!m->takes_messages || pick(m, is_iommu) < 0 || !percent(m, 40))
		return;
	w->window_base = (1 + below(m, 0x4000)) * 0x10000ULL;
	w->window_size = (1 + below(m, 32)) * 0x10000ULL;
	add_other(m, "--msi-window=0x%llx,0x%llx", (unsigned long long)w->window_base,
	          (unsigned long long)w->window_size);
}

static void make_virtio(struct maker *m)
{
	struct item *item;

	make_devices(m, "disk", "d%u", some(m, 6, 24), "serial=s", true);
	make_devices(m, "network", "tap=t%u", some(m, 3, 8), "", true);
	make_devices(m, "network", "passt", percent(m, 15), "", true);
	make_devices(m, "fs", "f%u", some(m, 2, MAX_FS), "tag=t", false);
	make_devices(m, "vsock", "%u", percent(m, 30), "", false);
	if (percent(m, 30) && (item = add_virtio(m, "console"))) {
		set_value(item, "virtio");
		place(m, item, true);
	}
	if (percent(m, 40) && (item = add_virtio(m, "rng")))
		place(m, item, true);
}

static void make_others(struct maker *m)
{
	static const char *const chips[] = { "gicv3-its", "gicv3", "gicv2m", "gicv2" };
	static const char *const sizes[] = { "16M", "256", "1G", "4G" };
	const unsigned int chip = percent(m, 70) ? 0 : below(m, ARRAY_SIZE(chips));

	m->w->its = !chip;
	m->takes_messages = chip % 2 == 0;
	m->mmio = percent(m, 30);
	if (chip || percent(m, 50))
		add_other(m, "--irqchip=%s", chips[chip]);
	if (m->mmio || percent(m, 30))
		add_other(m, "--virtio-transport=%s", m->mmio ? "mmio" : "pci");
	add_other(m, "--cpus=%u", 1 + below(m, chip < 2 ? 64 : 8));
	add_other(m, "--mem=%s", sizes[below(m, ARRAY_SIZE(sizes))]);
}

/* Something that cannot be. */
static void spoil(struct maker *m)
{
	static const char *const wrong[] = {
		"--disk=d,iommu=nobody",    "--dma-test=bus=nobody", "--disk=d,segment=0xfffff",
		"--iommu=none,type=virtio", "--vsock=9,iommu=x0",    "--network=tap=t,bus=",
	};

	m->w->wrong = true;
	add_other(m, "%s", wrong[below(m, ARRAY_SIZE(wrong))]);
}

/* In any order, but for devices of one option among each other: lower slots go to those that come
 * first. */
static void make_line(struct maker *m)
{
	struct command *w = m->w;
	unsigned int item = 0, other = 0;
	size_t len = 0;

	w->argc = 0;
	while (item < w->nr || other < w->nr_other) {
		const bool is_item = other == w->nr_other || (item < w->nr && percent(m, 60));

		w->argv[w->argc++] = is_item ? w->all[item++].text : w->other[other++];
		len += snprintf(w->line + len, sizeof(w->line) - len, "%s ", w->argv[w->argc - 1]);
	}
}

/* Their order on the line; indices of others follow. */
static void shuffle(struct maker *m)
{
	struct command *w = m->w;

	for (unsigned int i = w->nr; i > 1; i--) {
		const unsigned int a = i - 1, b = below(m, i);
		const struct item held = w->all[a];

		w->all[a] = w->all[b];
		w->all[b] = held;
		for (unsigned int j = 0; j < w->nr; j++) {
			struct item *x = &w->all[j];
			const int iommu = x->iommu, port = x->port;

			x->iommu = iommu == (int)a ? (int)b : iommu == (int)b ? (int)a : iommu;
			x->port = port == (int)a ? (int)b : port == (int)b ? (int)a : port;
		}
	}
}

void command_make(struct command *w, u64 seed)
{
	struct maker m = { .w = w, .state = seed };

	memset(m.owner, -1, sizeof(m.owner));
	w->nr = w->nr_other = 0;
	w->wrong = false;
	w->window_base = w->window_size = 0;
	make_others(&m);
	make_segments(&m);
	make_ports(&m);
	make_iommus(&m);
	make_virtio(&m);
	make_dma_tests(&m);
	make_window(&m);
	shuffle(&m);
	if (percent(&m, 6))
		spoil(&m);
	make_line(&m);
}
