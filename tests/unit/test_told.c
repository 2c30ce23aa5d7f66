// SPDX-License-Identifier: GPL-2.0-only
/* Random machines: what is behind an IOMMU by the command line is behind it by IORT or VIOT, and by
 * the device tree, with the same ID; and nothing else is. A machine is said again by TOLD_SEED=SEED
 * TOLD_MACHINES=1; SOAK=1 makes more of them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "acpi/acpi.h"
#include "fdt/fdt.h"
#include "machine/layout.h"
#include "machine/machine.h"
#include "tests/unit/leak.h"
#include "tests/unit/said.h"
#include "tests/unit/told_machine.h"
#include "tests/unit/told_reader.h"
#include "tests/unit/room.h"

#define TABLES_SIZE 0x100000

TestSuite(told, .init = listen_to_errors, .fini = expect_no_leak);

/* A machine that is looked at. */
struct look {
	const struct command *w;
	u64 seed;
	const struct platform *p;
	struct told_tables t;
	const struct item *of[PLATFORM_FUNCTIONS]; /* what asked for a function */
	u8 devids[NR_DEVIDS / 8];                  /* those that are somebody's */
	unsigned int nr_behind, nr_checked;
	struct item more[PLATFORM_FUNCTIONS]; /* what functions are of that no option makes */
};

/* By itself, as a long message is more than Criterion 2.4.1 formats. */
__attribute__((format(printf, 2, 3))) static void tell(const struct look *l, const char *format,
                                                       ...)
{
	va_list args;

	printf("  told: TOLD_SEED=%llu: %s\n  told: ", (unsigned long long)l->seed, l->w->line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

#define expect(l, what, ...)                                               \
	do {                                                               \
		if (what)                                                  \
			break;                                             \
		tell(l, __VA_ARGS__);                                      \
		cr_fatal("TOLD_SEED=%llu", (unsigned long long)(l)->seed); \
	} while (0)

static const char *shown(struct told by)
{
	static const char *const kinds[] = { "nothing", "SMMU", "virtio-iommu, function",
		                             "virtio-iommu, slot", "ITS" };
	static char texts[4][96];
	static unsigned int last;
	char *text = texts[++last % 4];

	snprintf(text, sizeof(texts[0]), "%s 0x%llx %x:%x, ID 0x%x", kinds[by.kind],
	         (unsigned long long)by.base, by.segment, by.rid, by.id);
	return text;
}

static bool same(struct told a, struct told b)
{
	return a.kind == b.kind && a.base == b.base && a.segment == b.segment && a.rid == b.rid &&
	       a.id == b.id;
}

static bool makes_function(const struct item *w)
{
	return !w->smmu;
}

/* The @nth item of a function's option and value; as such are made in that order. */
static const struct item *item_of(const struct look *l, const struct platform_function *f,
                                  unsigned int nth)
{
	for (unsigned int i = 0; i < l->w->nr; i++) {
		const struct item *w = &l->w->all[i];

		if (makes_function(w) && !strcmp(w->option, f->option) &&
		    !strcmp(w->value, f->value) && !nth--)
			return w;
	}
	return NULL;
}

/* Each function is somebody's, and each item has one. */
static void match(struct look *l)
{
	const struct platform *p = l->p;
	unsigned int nr_items = 0;

	for (unsigned int i = 0; i < p->nr_functions; i++) {
		const struct platform_function *f = &p->functions[i];
		unsigned int nth = 0;

		expect(l, f->option && f->value, "a function of no option");
		for (unsigned int j = 0; j < i; j++)
			nth += !strcmp(p->functions[j].option, f->option) &&
			       !strcmp(p->functions[j].value, f->value);
		l->of[i] = item_of(l, f, nth);
		expect(l, l->of[i], "nobody asked for --%s %s", f->option, f->value);
	}
	for (unsigned int i = 0; i < l->w->nr; i++)
		nr_items += makes_function(&l->w->all[i]);
	expect(l, p->nr_functions == nr_items, "not all have a function");
}

static const struct platform_function *function_of(const struct look *l, const struct item *w)
{
	for (unsigned int i = 0; i < l->p->nr_functions; i++)
		if (l->of[i] == w)
			return &l->p->functions[i];
	expect(l, false, "%s has no function", w->text);
	return NULL;
}

/* SMMUs have their registers in the order of the command line. */
static u64 smmu_base(const struct look *l, const struct item *smmu)
{
	u64 base = SMMU_BASE;

	for (const struct item *w = l->w->all; w < smmu; w++)
		base += w->smmu ? 0x20000 : 0;
	return base;
}

/* How whatever is behind that IOMMU is to be told so. */
static struct told told_of(const struct look *l, const struct item *iommu)
{
	const struct platform_function *f;

	if (iommu->smmu)
		return (struct told){ TOLD_SMMU, .base = smmu_base(l, iommu) };
	f = function_of(l, iommu);
	if (!f->is_pci)
		return (struct told){ TOLD_VIOMMU_MMIO, .base = l->p->virtio_mmio[f->mmio].base };
	return (struct told){ TOLD_VIOMMU_PCI, .segment = iommu->segment, .rid = f->rid };
}

/* NULL: it is behind none. */
static const struct platform_endpoint *endpoint_of(const struct look *l,
                                                   const struct platform_function *f)
{
	for (unsigned int i = 0; i < l->p->nr_endpoints; i++) {
		const struct platform_endpoint *e = &l->p->endpoints[i];

		if (e->is_pci == f->is_pci &&
		    (f->is_pci ? e->pci == f->pci && e->rid == f->rid : e->mmio == f->mmio))
			return e;
	}
	return NULL;
}

static unsigned int bus_behind(const struct look *l, const struct platform_function *port)
{
	for (unsigned int i = 0; i < l->p->nr_bridges; i++)
		if (l->p->bridges[i].pci == port->pci && l->p->bridges[i].rid == port->rid)
			return l->p->bridges[i].secondary;
	return 0;
}

static void check_place(const struct look *l, const struct platform_function *f,
                        const struct item *w)
{
	unsigned int bus = w->port < 0 ? 0 : bus_behind(l, function_of(l, &l->w->all[w->port]));

	expect(l, f->is_pci != w->over_mmio, "%s: it is not on its transport", w->text);
	if (!f->is_pci)
		return;
	expect(l, l->p->pci[f->pci].segment == w->segment, "%s: it is on segment %u", w->text,
	       l->p->pci[f->pci].segment);
	expect(l, f->rid >> 8 == bus, "%s: it is 0x%x, not on bus %u", w->text, f->rid, bus);
	expect(l, w->port < 0 || bus, "%s: its port has no bus", w->text);
}

/* Of a function that an option made, by what the documents say (docs/smmuv3.md). */
static u32 id_of(const struct look *l, const struct platform_function *f)
{
	const u32 first = l->p->nr_pci > 8 ? l->p->nr_pci << 16 : 0x80000;

	return f->is_pci ? f->pci << 16 | f->rid : first + f->mmio;
}

static bool is_own(const struct look *l, const struct item *w)
{
	return w < l->more || w >= l->more + ARRAY_SIZE(l->more);
}

/* Behind an SMMU, with a window that was said, it is every function's there. */
static void check_reserved(struct look *l, const struct platform_function *f, const struct item *w)
{
	const struct told_range iort = iort_reserved(&l->t, w->segment, f->rid);
	const struct told_range tree = tree_reserved(&l->t, w->segment, f->rid);
	const bool any = is_own(l, w) && l->w->window_size && w->iommu >= 0 &&
	                 l->w->all[w->iommu].smmu;

	expect(l, iort.nr == any && tree.nr == any, "%s: %u RMRs and %u regions, not %u", w->text,
	       iort.nr, tree.nr, any);
	expect(l, !any || dsdt_keeps(&l->t, w->segment), "%s: its RMR is in vain", w->text);
	expect(l,
	       !any || (iort.base == l->w->window_base && iort.size == l->w->window_size &&
	                tree.base == l->w->window_base && tree.size == l->w->window_size),
	       "%s: it has another range", w->text);
}

static void check_function(struct look *l, const struct platform_function *f, const struct item *w)
{
	const struct platform_endpoint *e = endpoint_of(l, f);
	const u64 base = l->p->virtio_mmio[f->mmio].base;
	const struct told none = { 0 };
	struct told want = none, iort, viot, tree;

	expect(l, !e == (w->iommu < 0), "%s: the platform has it %s one", w->text,
	       e ? "behind" : "behind no");
	if (e) {
		want = told_of(l, &l->w->all[w->iommu]);
		want.id = is_own(l, w) ? id_of(l, f) : e->id;
	}
	iort = f->is_pci ? iort_function(&l->t, w->segment, f->rid) : iort_slot(&l->t, base);
	viot = f->is_pci ? viot_function(&l->t, w->segment, f->rid) : viot_slot(&l->t, base);
	tree = f->is_pci ? tree_function(&l->t, w->segment, f->rid) : tree_slot(&l->t, base);
	expect(l, same(iort, want.kind == TOLD_SMMU ? want : none), "%s: by IORT behind %s, not %s",
	       w->text, shown(iort), shown(want));
	expect(l, same(viot, want.kind == TOLD_SMMU ? none : want), "%s: by VIOT behind %s, not %s",
	       w->text, shown(viot), shown(want));
	expect(l, same(tree, want), "%s: by the tree behind %s, not %s", w->text, shown(tree),
	       shown(want));
	expect(l, !f->is_pci || tree_pasids(&l->t, w->segment, f->rid) == (e ? w->pasid : 0),
	       "%s: its PASIDs are of %u bits", w->text, tree_pasids(&l->t, w->segment, f->rid));
	if (f->is_pci) {
		const bool stalls = tree_stalls(&l->t, w->segment, f->rid);

		expect(l, stalls == (is_own(l, w) && w->stalls), "%s: it stalls, or does not",
		       w->text);
		check_reserved(l, f, w);
	}
	l->nr_behind += e != NULL;
	l->nr_checked++;
}

/* Both ways the same; and no two devices' messages are the same to the ITS. */
static void check_messages(struct look *l, const char *whose, bool any, struct told iort,
                           struct told tree)
{
	expect(l, same(iort, tree), "%s: messages by IORT to %s, by the tree to %s", whose,
	       shown(iort), shown(tree));
	expect(l, any == (iort.kind == TOLD_ITS), "%s: its messages go to %s", whose, shown(iort));
	if (!any)
		return;
	expect(l, iort.base == l->p->msi_frames[0].base, "%s: the ITS is elsewhere", whose);
	expect(l, iort.id < NR_DEVIDS, "%s: its DeviceID is 0x%x", whose, iort.id);
	expect(l, !(l->devids[iort.id / 8] & 1 << iort.id % 8),
	       "%s: its DeviceID 0x%x is another's too", whose, iort.id);
	l->devids[iort.id / 8] |= 1 << iort.id % 8;
}

static void check_all_messages(struct look *l)
{
	for (unsigned int i = 0; i < l->p->nr_functions; i++) {
		const struct platform_function *f = &l->p->functions[i];
		const u32 segment = l->of[i]->segment;

		if (f->is_pci)
			check_messages(l, l->of[i]->text, l->w->its,
			               iort_function_msi(&l->t, segment, f->rid),
			               tree_function_msi(&l->t, segment, f->rid));
	}
	for (const struct item *w = l->w->all; w < &l->w->all[l->w->nr]; w++)
		if (w->smmu)
			check_messages(l, w->text, w->sends_msis,
			               iort_smmu_msi(&l->t, smmu_base(l, w)),
			               tree_smmu_msi(&l->t, smmu_base(l, w)));
}

/* With functions' own IDs checked, as many IDs as functions: so there is no other. */
static void check_segment(struct look *l, u32 segment)
{
	unsigned int smmu = 0, own = 0, viommu = 0, stall = 0; /* own: that an option made */

	for (unsigned int i = 0; i < l->p->nr_functions; i++) {
		const struct item *w = l->of[i];

		if (w->over_mmio || w->segment != segment || w->iommu < 0)
			continue;
		smmu += l->w->all[w->iommu].smmu;
		own += l->w->all[w->iommu].smmu && w != &l->more[i];
		viommu += !l->w->all[w->iommu].smmu;
		stall += is_own(l, w) && w->stalls;
	}
	expect(l, iort_covered(&l->t, segment) == smmu, "IORT has others behind SMMUs");
	expect(l, iort_pasids(&l->t, segment) == (own ? 20 : 0), "IORT passes on other PASIDs");
	expect(l, iort_ats(&l->t, segment) == !!own && tree_ats(&l->t, segment) == !!own,
	       "requests for translations are passed on, or are not");
	expect(l, iort_memory(&l->t, segment) == (own ? 7 : 3), "other memory access flags");
	expect(l, tree_coherent(&l->t, segment), "a host bridge is not coherent");
	expect(l, dsdt_stalls(&l->t, segment) == stall, "the DSDT has others that stall");
	expect(l, dsdt_keeps(&l->t, segment) == (own && l->w->window_size),
	       "a segment's configuration is kept, or is not");
	expect(l, viot_covered(&l->t, segment) == viommu, "VIOT has others");
	expect(l, tree_covered(&l->t, segment) == smmu + viommu, "an iommu-map has others");
}

/* The same of StreamIDs: an SMMU has the messages of what is behind it. */
static void check_streams(struct look *l, const struct item *smmu)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < l->p->nr_functions; i++)
		nr += l->p->functions[i].is_pci && l->of[i]->iommu == smmu - l->w->all;
	expect(l, iort_streams(&l->t, smmu_base(l, smmu)) == (l->w->its ? nr : 0),
	       "%s: IORT has messages of others", smmu->text);
}

static void build(struct look *l, struct platform *p)
{
	static u8 *tables, *tree;
	struct acpi_efi efi;

	if (!tables) {
		tables = room_of(TABLES_SIZE);
		tree = room_of(TABLES_SIZE);
	}
	p->chosen = (typeof(p->chosen)){ .bootargs = "" };
	expect(l, !acpi_build(p, p->ram.base, tables, TABLES_SIZE, &efi), "no ACPI tables");
	expect(l, !fdt_build(p, tree, TABLES_SIZE), "no tree");
	acpi_for_each(tables, told_take, &l->t);
	l->t.tree = tree;
}

static int platform_iommu(const struct platform *p, const struct item *iommu)
{
	unsigned int i = 0;

	while (strcmp(p->iommus[i].name, iommu->value))
		i++;
	return i;
}

/* Another function of a device, behind whatever; its ID goes on with the last one's, or does not.
 */
static void add_function(struct look *l, struct platform *p, unsigned int of, unsigned int number,
                         unsigned int *random)
{
	struct platform_function *f = &p->functions[p->nr_functions];
	struct item *more = &l->more[p->nr_functions];
	const unsigned int any = rand_r(random) % l->w->nr;

	*f = p->functions[of];
	f->rid += number;
	*more = *l->of[of];
	more->pasid = 0;
	if (rand_r(random) % 3)
		more->iommu = strcmp(l->w->all[any].option, "iommu") ? -1 : (int)any;
	if (more->iommu >= 0 && p->nr_endpoints == PLATFORM_ENDPOINTS)
		return;
	l->of[p->nr_functions++] = more;
	if (more->iommu >= 0)
		p->endpoints[p->nr_endpoints++] = (struct platform_endpoint){
			.iommu = platform_iommu(p, &l->w->all[more->iommu]),
			.id = f->pci << 16 | (f->rid ^ (rand_r(random) % 4 ? 0 : 0x8000)),
			.is_pci = true,
			.pci = f->pci,
			.rid = f->rid,
		};
}

/* No option makes a device of several functions: so that neighbours are behind the same, or not. */
static void add_functions(struct look *l, struct platform *p)
{
	const unsigned int nr = p->nr_functions;
	unsigned int random = l->seed;

	for (unsigned int i = 0; i < nr; i++) {
		const bool alone = !p->functions[i].is_pci || rand_r(&random) % 3;

		for (unsigned int n = 1; !alone && n < 8; n++)
			if (p->nr_functions < PLATFORM_FUNCTIONS && rand_r(&random) % 4)
				add_function(l, p, i, n, &random);
	}
}

static int look(struct machine *m, void *ctx)
{
	struct look *l = ctx;
	struct platform p = m->platform;

	l->p = &p;
	match(l);
	if (l->seed % 2)
		add_functions(l, &p);
	build(l, &p);
	for (unsigned int i = 0; i < p.nr_functions; i++) {
		check_place(l, &p.functions[i], l->of[i]);
		check_function(l, &p.functions[i], l->of[i]);
		expect(l, !l->t.broken, "%s: %s", l->of[i]->text, l->t.broken);
	}
	expect(l, p.nr_endpoints == l->nr_behind, "there are other endpoints");
	check_all_messages(l);
	for (unsigned int i = 0; i < p.nr_pci; i++)
		check_segment(l, p.pci[i].segment);
	for (unsigned int i = 0; i < l->w->nr; i++)
		if (l->w->all[i].smmu)
			check_streams(l, &l->w->all[i]);
	expect(l, !l->t.broken, "%s", l->t.broken);
	return 0;
}

static u64 from_environment(const char *name, u64 otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static bool is_one_line(const char *text)
{
	const char *end = strchr(text, '\n');

	return end && end != text && !end[1];
}

Test(told, every_function_is_behind_what_it_should_be_and_no_other, .timeout = 3600)
{
	static struct command w;
	static struct options o;
	const u64 first = from_environment("TOLD_SEED", 1);
	const u64 nr = from_environment("TOLD_MACHINES", getenv("SOAK") ? 20000 : 100);
	u64 functions = 0, behind = 0, taken = 0;

	for (u64 seed = first; seed < first + nr; seed++) {
		struct look l = { .w = &w, .seed = seed };
		bool valid;

		command_make(&w, seed);
		valid = options_parse(&o, w.argc, w.argv);
		expect(&l, !valid || !w.wrong, "it should be refused");
		if (!valid) {
			expect(&l, is_one_line(said(stderr)), "refused in other than a line");
			continue;
		}
		expect(&l, !machine_describe(&o, look, &l), "no machine: %s", said(stderr));
		taken++;
		functions += l.nr_checked;
		behind += l.nr_behind;
	}
	printf("  told: seeds %llu on: %llu of %llu lines taken, %llu functions, %llu behind IOMMUs\n",
	       (unsigned long long)first, (unsigned long long)taken, (unsigned long long)nr,
	       (unsigned long long)functions, (unsigned long long)behind);
	cr_assert(ge(u64, taken * 4, nr * 3), "%llu of %llu lines are taken",
	          (unsigned long long)taken, (unsigned long long)nr);
	cr_assert(gt(u64, behind, 0));
}
