// SPDX-License-Identifier: GPL-2.0-only
/* Where BARs and ports' windows are before the guest moves them, which it need not: it may have
 * been told to keep them. */
#include "devices/pci/private.h"

#include <errno.h>

#define GRANULE 0x100000ULL /* of a bridge's windows (7.5.1.3.8) */
#define SPARE   0x200000ULL /* that a window has at least, for what may be plugged in later */

/* What of a function takes addresses: its BARs by their numbers, a port's windows. */
enum { MEM_WINDOW = PCI_ROM_BAR + 1, PREF_WINDOW, NR_WANTS };

struct want {
	struct pci_func *f;
	unsigned int what;
	bool high; /* in the 64-bit window */
	u64 size, align, at;
};

/* Of one bus, those that are aligned most first: what follows fits into the gaps. */
struct wants {
	unsigned int nr;
	struct want of[PCI_NR_DEVICES * NR_WANTS];
};

static u64 larger(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* A bridge's prefetchable window has addresses of 64 bits: 32-bit BARs go below with the others. */
static bool is_high(const struct pci_func *f, const struct pci_bar *bar)
{
	return bar->is_64 && bar->prefetch && f->bus->host->platform.mem64.size;
}

static void add(struct wants *w, const struct want *new)
{
	unsigned int i = w->nr;

	if (!new->size)
		return;
	for (; i && w->of[i - 1].align < new->align; i--)
		w->of[i] = w->of[i - 1];
	w->of[i] = *new;
	w->nr++;
}

static void add_bars(struct wants *w, struct pci_func *f)
{
	for (unsigned int i = 0; i <= PCI_ROM_BAR; i++) {
		const struct pci_bar *bar = &f->bars[i];

		add(w, &(struct want){ f, i, is_high(f, bar), bar->size, bar->size, 0 });
	}
}

/* Large enough for the BARs behind @port that go there; a ROM's is beside what is spare. */
static void add_window(struct wants *w, struct pci_func *port, bool high, u64 spare)
{
	const struct pci_func *behind = port->secondary->funcs[0];
	struct want window = { port, high ? PREF_WINDOW : MEM_WINDOW, high, 0, GRANULE, 0 };

	for (unsigned int i = 0; behind && i <= PCI_ROM_BAR; i++) {
		const struct pci_bar *bar = &behind->bars[i];

		if (is_high(behind, bar) != high)
			continue;
		if (i == PCI_ROM_BAR)
			window.size = larger(window.size, spare);
		window.size += bar->size;
		window.align = larger(window.align, bar->size);
	}
	window.size = ALIGN_UP(larger(window.size, spare), GRANULE);
	add(w, &window);
}

static void add_all(struct wants *w, const struct pci_host *h, u64 spare)
{
	w->nr = 0;
	for (unsigned int i = 0; i < PCI_NR_DEVICES; i++) {
		struct pci_func *f = h->root.funcs[i];

		if (!f)
			continue;
		add_bars(w, f);
		if (!f->secondary)
			continue;
		add_window(w, f, false, spare);
		if (h->platform.mem64.size)
			add_window(w, f, true, spare);
	}
}

static bool overlap(const struct want *a, const struct want *b)
{
	return a->high == b->high && a->at < b->at + b->size && b->at < a->at + a->size;
}

/* The first that is free of those before it, from @base on. */
static void place(struct wants *w, unsigned int nr, u64 base)
{
	struct want *new = &w->of[nr];
	unsigned int i = 0;

	new->at = ALIGN_UP(base, new->align);
	while (i < nr) {
		if (!overlap(&w->of[i], new)) {
			i++;
			continue;
		}
		new->at = ALIGN_UP(w->of[i].at + w->of[i].size, new->align);
		i = 0;
	}
}

static void place_all(struct wants *w, u64 low, u64 high)
{
	for (unsigned int i = 0; i < w->nr; i++)
		place(w, i, w->of[i].high ? high : low);
}

/* Places what is on the root bus; false: it does not fit. */
static bool fits(struct wants *w, const struct pci_host *h, u64 spare, struct pci_taken *t)
{
	const struct platform_pci *p = &h->platform;

	add_all(w, h, spare);
	place_all(w, p->mem32.bus, p->mem64.bus);
	*t = (struct pci_taken){ 0 };
	for (unsigned int i = 0; i < w->nr; i++) {
		const u64 end = w->of[i].at + w->of[i].size;

		if (w->of[i].high)
			t->mem64 = larger(t->mem64, end - p->mem64.bus);
		else
			t->mem32 = larger(t->mem32, end - p->mem32.bus);
	}
	return t->mem32 <= p->mem32.size && t->mem64 <= p->mem64.size;
}

static void settle(const struct want *w)
{
	if (w->what <= PCI_ROM_BAR)
		pci_bar_put(w->f, w->what, w->at);
	else
		pci_port_open(w->f, w->what == PREF_WINDOW, w->at, w->size);
}

static u64 window_at(const struct wants *w, const struct pci_func *port, unsigned int what)
{
	for (unsigned int i = 0; i < w->nr; i++)
		if (w->of[i].f == port && w->of[i].what == what)
			return w->of[i].at;
	return 0;
}

static void settle_behind(const struct wants *w, struct pci_func *port)
{
	struct pci_func *behind = port->secondary->funcs[0];
	struct wants inner = { 0 };

	if (!behind)
		return;
	add_bars(&inner, behind);
	place_all(&inner, window_at(w, port, MEM_WINDOW), window_at(w, port, PREF_WINDOW));
	for (unsigned int i = 0; i < inner.nr; i++)
		settle(&inner.of[i]);
}

int pci_host_place(struct pci_host *h, struct pci_taken *taken)
{
	struct wants w;

	if (!fits(&w, h, SPARE, taken) && !fits(&w, h, 0, taken))
		return -ENOSPC;
	for (unsigned int i = 0; i < w.nr; i++)
		settle(&w.of[i]);
	for (unsigned int i = 0; i < PCI_NR_DEVICES; i++)
		if (h->root.funcs[i] && h->root.funcs[i]->secondary)
			settle_behind(&w, h->root.funcs[i]);
	return 0;
}
