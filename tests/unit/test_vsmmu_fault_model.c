// SPDX-License-Identifier: GPL-2.0-only
/* Faults that a host's SMMU stalls, whose cookies the host takes back and gives out anew: every
 * order of a few faults of two streams, reads of its queue, answers in time and late, page tables
 * that are replaced, resets, time, and an SMMU that is off. FAULT_STEPS=N: that many steps (4). */
#include <linux/iommufd.h>

#include "tests/unit/fake_vsmmu.h"
#include "tests/unit/orders.h"
#include "vfio/vsmmu_private.h"
#include "vmm/work.h"

#define F       (&fake_v.smmu)
#define ADDR    0x12345000ULL /* nothing is there */
#define FAULTS  16
#define ENABLED (CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN)
#define ALL     (-1)
#define NONE    (-2)

static struct fault_hub hub;
static u64 ns;
static struct fault {
	unsigned int of; /* a stream */
	bool shown, resumed;
	u16 stag;
	unsigned int ended;
} faults[FAULTS];
static int nr;
static int answering; /* the only one that may be answered now; or ALL, or NONE */
static bool wrong, resets, off;
static unsigned int unknown;

static u64 now(void)
{
	return ns;
}

static int nth(u64 addr)
{
	return (addr - ADDR) / 8;
}

/* By the host's thread, too. */
static void ends(const struct fake_fault *f, bool automatic)
{
	const int n = nth(f->addr);

	__atomic_fetch_add(&faults[n].ended, 1, __ATOMIC_SEQ_CST);
	wrong |= !automatic && answering != ALL && answering != n;
}

static void make(void)
{
	fake_iommufd.idr[5] = 16 << 16 | 0x74; /* STALL_MAX; 48 bits, 4 and 64 KiB */
	fake_vsmmu_make(NULL);
	fault_hub_init(&hub, F->vm.loop, F->vm.log);
	hub.clock = now;
	for (unsigned int i = 0; i < FAKE_VSMMU_STREAMS; i++) {
		const struct vsmmu_faults c = {
			.name = "it", .hub = &hub, .space = fake_smmu_dma(F, i), .timeout = 5
		};
		u64 w[8];

		cr_assert(zero(int, vsmmu_stream_stalls(fake_v.streams[i], &c)));
		fake_vsmmu_put_stage1(i);
		fake_smmu_cd_words(F, w, i + 1, fake_smmu_table(F));
		w[0] |= CD0_S;
		fake_smmu_cd(F, i, w);
	}
	fake_vsmmu_enable();
	fake_faults.ends = ends;
	answering = ALL;
}

static void unmake(void)
{
	fake_faults.ends = NULL;
	fake_vsmmu_unmake();
}

TestSuite(vsmmu_fault_model, .init = make, .fini = unmake, .timeout = 500);

static void nothing(struct work *w)
{
	(void)w;
}

/* What the host was asked to, it has done, and nobody has heard of it. */
static void host_is_done(void)
{
	struct work last = { .run = nothing, .done = nothing };

	work_submit(F->vm.work, &last);
	work_wait(F->vm.work, &last);
}

static void fault(unsigned int i)
{
	if (nr == FAULTS)
		return;
	faults[nr] = (struct fault){ .of = i };
	nr += fake_fault(fake_v.devs[i].id, ADDR + 8 * nr, IOMMU_PGFAULT_PERM_WRITE, 0);
}

static void read_queue(unsigned int i)
{
	(void)i;
	vsmmu_faults_read(fake_v.vsmmu);
}

static void look_at_events(void)
{
	u64 w[4];

	while (fake_smmu_event(F, w)) {
		struct fault *f = &faults[nth(w[2])];

		if (!(w[1] & EVT1_STALL))
			continue;
		f->shown = true;
		f->stag = FIELD_GET(EVT1_STAG, w[1]);
	}
}

static void answer(int n, int whose)
{
	answering = whose;
	fake_smmu_command(F, RESUME | SID(F->sids[faults[n].of]), faults[n].stag);
	answering = ALL;
	faults[n].resumed = true;
}

static void resume(unsigned int i)
{
	int n = 0;

	look_at_events();
	while (n < nr && !(faults[n].of == i && faults[n].shown && !faults[n].resumed))
		n++;
	if (n < nr)
		answer(n, n);
}

static void resume_again(unsigned int i)
{
	int n = nr - 1;

	while (n >= 0 && !(faults[n].of == i && faults[n].resumed))
		n--;
	if (n >= 0)
		answer(n, NONE);
}

static void replace(unsigned int i)
{
	fake_smmu_command(F, CFGI_STE | SID(F->sids[i]), 0);
	host_is_done();
}

static void settle(unsigned int i)
{
	(void)i;
	fake_vsmmu_settle();
}

static void reset(unsigned int i)
{
	resets = !resets;
	vsmmu_stream_resets(fake_v.streams[i], resets);
}

static void turn(unsigned int i)
{
	(void)i;
	off = !off;
	fake_smmu_write32(F, CR0, off ? ENABLED & ~CR0_SMMUEN : ENABLED);
	host_is_done();
}

static void pass(unsigned int i)
{
	(void)i;
	ns += 10 * 1000000;
	fault_hub_tick(&hub);
}

/* An answer goes to nobody only where the host has replaced a page table, and has not said so. */
static void agree(const char *step, unsigned int i)
{
	cr_assert(not(wrong), "%s %u: another's answer", step, i);
	cr_assert(fake_faults.unknown == unknown || fake_v.vsmmu->replacing, "%s %u: nobody's",
	          step, i);
	unknown = fake_faults.unknown;
	for (int n = 0; n < nr; n++)
		cr_assert(faults[n].ended < 2, "%s %u: answered twice", step, i);
}

static bool any_waits(void)
{
	unsigned int nr_waiting = fake_faults.nr;

	for (unsigned int i = 0; i < FAKE_VSMMU_STREAMS; i++)
		nr_waiting += fake_v.streams[i]->bridge.stats.outstanding;
	return nr_waiting;
}

static void finish(void)
{
	if (resets)
		reset(0);
	if (off)
		turn(0);
	for (unsigned int n = 0; n < 2 * FAULTS; n++) {
		fake_vsmmu_settle();
		read_queue(0);
		resume(n % FAKE_VSMMU_STREAMS);
		agree("at the end", n);
	}
	cr_assert(not(any_waits()));
	for (int n = 0; n < nr; n++)
		cr_assert(eq(u32, faults[n].ended, 1), "no answer");
	for (unsigned int cookie = 0; cookie < FAKE_MAX_FAULTS; cookie++)
		cr_assert(zero(u32, fake_faults.delivered[cookie].device));
	nr = 0;
}

Test(vsmmu_fault_model, each_has_one_answer_in_every_order)
{
	static const struct order_step steps[] = {
		{ "fault", fault, 2 },      { "read", read_queue, 1 },
		{ "resume", resume, 2 },    { "resume again", resume_again, 2 },
		{ "replace", replace, 2 },  { "settle", settle, 1 },
		{ "reset", reset, 1 },      { "SMMUEN", turn, 1 },
		{ "time passes", pass, 1 },
	};
	const struct orders all = {
		.steps = steps,
		.nr_steps = ARRAY_SIZE(steps),
		.length = orders_length("FAULT_STEPS", 4),
		.agree = agree,
		.finish = finish,
	};

	orders_try(&all);
}
