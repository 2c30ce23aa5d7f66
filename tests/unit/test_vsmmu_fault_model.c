// SPDX-License-Identifier: GPL-2.0-only
/* Faults that a host's SMMU stalls, whose cookies the host takes back and gives out anew: every
 * order of a few faults of two streams, reads of its queue, answers in time and late, page tables
 * that are replaced (asked for, done by the host, heard of), resets, time, and an SMMU that is off.
 * FAULT_STEPS=N: that many steps (4). */
#include <errno.h>
#include <linux/iommufd.h>
#include <semaphore.h>

#include "tests/unit/fake_vsmmu.h"
#include "tests/unit/orders.h"
#include "vfio/vsmmu_private.h"
#include "vmm/work.h"

#define F       (&fake_v.smmu)
#define ADDR    0x12345000ULL /* nothing is there, nor in the pages that follow */
#define PAGE    4096ULL
#define FAULTS  16
#define ENABLED (CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN)
#define SERVED  1 /* the stream whose faults the guest serves; the other's it aborts */

static struct fault_hub hub;
static u64 ns;
static gpa_t tables[FAKE_VSMMU_STREAMS];
/* What the host's thread waits for before it does anything. */
static struct work gate;
static sem_t opened;

/* The nth is of the nth page. */
static struct fault {
	unsigned int of; /* a stream */
	bool known;      /* it had been read when the step began */
	bool shown, resumed;
	u16 stag;
	u32 cookie;
	unsigned int ended;
} faults[FAULTS];
static int nr, resumed; /* the latter: by this step; or -1 */
static bool (*may_end)(int n);
static bool wrong, resets, off;
static u32 code; /* of all answers of this step */
/* Answers, and those that found nobody, that have been looked at; those that may: the host has
 * ended the fault as it replaced a page table, and has not been heard of. */
static unsigned int answers, unknown, late;
/* How often it came to what matters: the guest brought a page; it answered what had ended, whose
 * cookie was another fault's by then. */
static u64 served, reused;

static u64 now(void)
{
	return ns;
}

static int nth(u64 addr)
{
	return (addr - ADDR) / PAGE;
}

static bool none(int n)
{
	(void)n;
	return false;
}

static bool any(int n)
{
	(void)n;
	return true;
}

static bool new_ones(int n)
{
	return !faults[n].known;
}

static bool of_reset(int n)
{
	return faults[n].of == 0;
}

static bool the_resumed(int n)
{
	return n == resumed;
}

/* By the host's thread, too, while the test waits for it. */
static void ends(const struct fake_fault *f, bool automatic)
{
	const int n = nth(f->addr);

	faults[n].ended++;
	if (automatic)
		late += faults[n].known;
	else if (!may_end(n))
		wrong = true;
}

/* What the host refuses in this step. */
static bool no_table, no_attach;
static struct uapi_ops ops;

static int hwpt_alloc(struct uapi *u, struct iommu_hwpt_alloc *arg)
{
	return no_table ? -ENOMEM : fake_iommufd_ops.hwpt_alloc(u, arg);
}

/* Once: what cannot abort is detached. */
static int attach(struct uapi *u, int fd, struct vfio_device_attach_iommufd_pt *arg)
{
	const bool fails = no_attach;

	no_attach = false;
	return fails ? -ENOMEM : fake_iommufd_ops.attach(u, fd, arg);
}

static void wait_for_gate(struct work *w)
{
	(void)w;
	while (sem_wait(&opened))
		;
}

static void nothing(struct work *w)
{
	(void)w;
}

static void close_gate(void)
{
	gate = (struct work){ .run = wait_for_gate, .done = nothing };
	work_submit(F->vm.work, &gate);
}

/* What the host was asked to, it has done, and nobody has heard of it. */
static void open_gate(void)
{
	struct work last = { .run = nothing, .done = nothing };

	sem_post(&opened);
	work_wait(F->vm.work, &gate);
	work_submit(F->vm.work, &last);
	work_wait(F->vm.work, &last);
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
		tables[i] = fake_smmu_table(F);
		fake_smmu_cd_words(F, w, i + 1, tables[i]);
		w[0] |= CD0_S;
		fake_smmu_cd(F, i, w);
	}
	fake_vsmmu_enable();
	fake_faults.ends = ends;
	ops = fake_iommufd_ops;
	ops.hwpt_alloc = hwpt_alloc;
	ops.attach = attach;
	fake_v.context.uapi.ops = &ops;
	may_end = none;
	code = IOMMUFD_PAGE_RESP_INVALID;
	resumed = -1;
	sem_init(&opened, 0, 0);
	close_gate();
}

static void unmake(void)
{
	fake_faults.ends = NULL;
	open_gate();
	fake_vsmmu_unmake();
}

TestSuite(vsmmu_fault_model, .init = make, .fini = unmake, .timeout = 500);

static void fault(unsigned int i)
{
	if (nr == FAULTS)
		return;
	faults[nr] = (struct fault){ .of = i };
	nr += fake_fault(fake_v.devs[i].id, ADDR + PAGE * nr, IOMMU_PGFAULT_PERM_WRITE, 0);
}

static void read_queue(unsigned int i)
{
	(void)i;
	may_end = new_ones;
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

static bool is_reused(int n)
{
	const struct fake_fault *f = &fake_faults.delivered[faults[n].cookie];

	return faults[n].ended && f->device && nth(f->addr) != n;
}

static void answer(int n, bool again)
{
	const bool serves = faults[n].of == SERVED;

	resumed = again ? -1 : n;
	may_end = the_resumed;
	reused += is_reused(n);
	code = serves && !again ? IOMMUFD_PAGE_RESP_SUCCESS : IOMMUFD_PAGE_RESP_INVALID;
	if (serves)
		fake_smmu_map(F, tables[SERVED], ADDR + PAGE * n, FAKE_SMMU_DATA, FAKE_S1_RW);
	fake_smmu_command(F, RESUME | SID(F->sids[faults[n].of]) | (serves ? RESUME0_AC : 0),
	                  faults[n].stag);
	faults[n].resumed = true;
}

static void resume(unsigned int i)
{
	int n = 0;

	look_at_events();
	while (n < nr && !(faults[n].of == i && faults[n].shown && !faults[n].resumed))
		n++;
	if (n < nr)
		answer(n, false);
}

/* Whoever was the last. */
static void resume_again(unsigned int i)
{
	int n = nr - 1;

	(void)i;
	while (n >= 0 && !faults[n].resumed)
		n--;
	if (n >= 0)
		answer(n, true);
}

static void replace(unsigned int i)
{
	fake_smmu_command(F, CFGI_STE | SID(F->sids[i]), 0);
}

enum { WELL, ATTACHES_NOTHING_ONCE, HAS_NO_TABLES, HOSTS };

static void host_works(unsigned int how)
{
	no_attach = how == ATTACHES_NOTHING_ONCE;
	no_table = how == HAS_NO_TABLES;
	open_gate();
	no_attach = no_table = false;
	close_gate();
}

static void settle(unsigned int i)
{
	(void)i;
	if (!fake_v.vsmmu->replacing)
		return;
	may_end = new_ones;
	open_gate();
	fake_vsmmu_settle();
	close_gate();
	cr_assert(zero(u32, fake_faults.nr), "what has come meanwhile is not read");
}

static void reset(unsigned int i)
{
	may_end = of_reset;
	resets = !resets;
	vsmmu_stream_resets(fake_v.streams[i], resets);
}

static void turn(unsigned int i)
{
	(void)i;
	may_end = any;
	off = !off;
	fake_smmu_write32(F, CR0, off ? ENABLED & ~CR0_SMMUEN : ENABLED);
}

static unsigned int outstanding(unsigned int i)
{
	return fake_v.streams[i]->bridge.stats.outstanding;
}

static void pass(unsigned int i)
{
	(void)i;
	may_end = any;
	ns += 10 * 1000000;
	fault_hub_tick(&hub);
	cr_assert(zero(u32, outstanding(0) + outstanding(1)), "time is over");
}

/* An answer finds nobody only where the host has ended the fault itself, and has not said so. */
static void answers_agree(const char *step, unsigned int i)
{
	cr_assert(not(wrong), "%s %u: another's answer", step, i);
	cr_assert(le(u32, fake_faults.unknown - unknown, late), "%s %u: nobody's", step, i);
	late -= fake_faults.unknown - unknown;
	unknown = fake_faults.unknown;
	for (; answers < fake_faults.answered; answers++) {
		served += code == IOMMUFD_PAGE_RESP_SUCCESS;
		cr_assert(eq(u32, fake_faults.answers[answers % FAKE_MAX_FAULTS], code), "%s %u",
		          step, i);
	}
	for (int n = 0; n < nr; n++)
		cr_assert(faults[n].ended < 2, "%s %u: answered twice", step, i);
}

/* What waits at the host waits here, and nothing else does. */
static void agree(const char *step, unsigned int i)
{
	unsigned int waiting = 0;

	answers_agree(step, i);
	if (!fake_v.vsmmu->replacing)
		late = 0;
	for (unsigned int cookie = 0; cookie < FAKE_MAX_FAULTS; cookie++) {
		const struct fake_fault *f = &fake_faults.delivered[cookie];

		if (!f->device)
			continue;
		waiting++;
		faults[nth(f->addr)].known = true;
		faults[nth(f->addr)].cookie = cookie;
	}
	cr_assert(eq(u32, outstanding(0) + outstanding(1), waiting + late), "%s %u", step, i);
	cr_assert(not(resets && outstanding(0)), "%s %u: the reset has ended it", step, i);
	may_end = none;
	resumed = -1;
	code = IOMMUFD_PAGE_RESP_INVALID;
}

static void undo(void)
{
	if (resets)
		reset(0);
	agree("reset is over", 0);
	if (off)
		turn(0);
	agree("SMMUEN again", 0);
	settle(0);
	agree("settled", 0);
	for (unsigned int i = 0; i < FAKE_VSMMU_STREAMS; i++)
		if (fake_v.streams[i]->failed)
			replace(i);
	settle(0);
	agree("what had failed", 0);
}

/* Pages that the guest has brought. */
static void forget_pages(void)
{
	for (int n = 0; n < nr; n++)
		if (faults[n].of == SERVED && faults[n].resumed)
			fake_smmu_map(F, tables[SERVED], ADDR + PAGE * n, 0, 0);
	fake_smmu_queue(F, TLBI_NSNH_ALL, 0);
	cr_assert(fake_smmu_sync(F));
}

/* Of each stream the guest has seen one. */
static void let_some_wait(void)
{
	for (unsigned int i = 0; i < FAKE_VSMMU_STREAMS; i++)
		fault(i);
	read_queue(0);
	agree("at first", 0);
	look_at_events();
	cr_assert(faults[0].shown && faults[1].shown);
}

static void end_all(void)
{
	undo();
	read_queue(0);
	agree("last read", 0);
	for (int n = 0; n < 2 * nr; n++) {
		resume(n % FAKE_VSMMU_STREAMS);
		agree("last resume", n);
	}
	cr_assert(zero(u32, outstanding(0) + outstanding(1) + fake_faults.nr));
	for (int n = 0; n < nr; n++)
		cr_assert(eq(u32, faults[n].ended, 1), "no answer");
	forget_pages();
	nr = 0;
}

static void end_and_wait(void)
{
	end_all();
	let_some_wait();
}

static void try_all(void (*finish)(void))
{
	static const struct order_step steps[] = {
		{ "fault", fault, 2 },     { "read", read_queue, 1 },
		{ "resume", resume, 2 },   { "resume again", resume_again, 1 },
		{ "replace", replace, 2 }, { "host", host_works, HOSTS },
		{ "settle", settle, 1 },   { "reset", reset, 1 },
		{ "SMMUEN", turn, 1 },     { "time passes", pass, 1 },
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

Test(vsmmu_fault_model, each_has_one_answer_in_every_order)
{
	try_all(end_all);
	cr_assert(served && fake_faults.automatic);
}

Test(vsmmu_fault_model, so_has_each_where_some_wait_already)
{
	let_some_wait();
	try_all(end_and_wait);
	end_all();
	cr_assert(served && fake_faults.automatic && unknown && reused);
}
