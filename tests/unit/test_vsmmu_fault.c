// SPDX-License-Identifier: GPL-2.0-only
/* Faults that a host's SMMU stalls, in the guest's: shown by its tables, answered by CMD_RESUME,
 * each once, whatever happens to its stream in between. */
#include <errno.h>
#include <linux/iommufd.h>
#include <semaphore.h>

#include "tests/unit/fake_vsmmu.h"
#include "tests/unit/said.h"
#include "vfio/vsmmu_private.h"
#include "vmm/work.h"

#define F    (&fake_v.smmu)
#define ADDR 0x12345678ULL
#define PAGE (ADDR & ~0xfffULL)
#define SID0 SID(0x10)

static struct fault_hub hub;
static gpa_t tables[FAKE_VSMMU_STREAMS];

/* With CD.S, and STEs that leave that to it. */
static void put_cd(unsigned int i)
{
	u64 w[8];

	fake_smmu_cd_words(F, w, i + 1, tables[i]);
	w[0] |= CD0_S;
	fake_smmu_cd(F, i, w);
}

static const struct fault_stats *stats(unsigned int i)
{
	return &fake_v.streams[i]->bridge.stats;
}

static void make(void)
{
	fake_iommufd.idr[5] = 16 << 16 | 0x74; /* STALL_MAX; 48 bits, 4 and 64 KiB */
	fake_vsmmu_make(NULL);
	fault_hub_init(&hub, F->vm.loop, F->vm.log);
	for (unsigned int i = 0; i < FAKE_VSMMU_STREAMS; i++) {
		const struct vsmmu_faults c = { .name = "it",
			                        .hub = &hub,
			                        .space = fake_smmu_dma(F, i) };

		cr_assert(zero(int, vsmmu_stream_stalls(fake_v.streams[i], &c)));
		tables[i] = fake_smmu_table(F);
		fake_vsmmu_put_stage1(i);
		put_cd(i);
	}
	fake_vsmmu_enable();
}

TestSuite(vsmmu_fault, .init = make, .fini = fake_vsmmu_unmake, .timeout = 30);

static void stalls(unsigned int i, u64 addr, u32 perm, u32 pasid)
{
	cr_assert(fake_fault(fake_v.devs[i].id, addr, perm, pasid));
}

static bool written(void)
{
	return (fake_smmu_read32(F, EVENTQ_PROD) ^ fake_smmu_read32(F, EVENTQ_CONS)) & QUEUE_INDEX;
}

/* What the driver finds; its STAG. */
static u16 recorded(u32 sid, u64 addr, enum smmu_event_id id)
{
	u64 w[4];

	until(written());
	cr_assert(fake_smmu_event(F, w));
	cr_assert(eq(u64, FIELD_GET(EVT0_ID, w[0]), id));
	cr_assert(eq(u64, w[0] >> 32, sid));
	cr_assert(ne(u64, w[1] & EVT1_STALL, 0));
	cr_assert(eq(u64, w[2], addr));
	return FIELD_GET(EVT1_STAG, w[1]);
}

static void resume(u32 sid, u16 stag, bool retry)
{
	fake_smmu_command(F, RESUME | SID(sid) | (retry ? RESUME0_AC : 0), stag);
}

static void is_answered(unsigned int nr, u32 code)
{
	cr_assert(eq(u32, fake_faults.answered, nr));
	cr_assert(eq(u32, fake_faults.answers[nr - 1], code));
}

static void map(unsigned int i)
{
	fake_smmu_map(F, tables[i], PAGE, FAKE_SMMU_DATA, FAKE_S1_RW);
}

Test(vsmmu_fault, a_fault_is_shown_and_what_is_mapped_then_is_retried)
{
	u16 stag;

	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	stag = recorded(0x10, ADDR, F_TRANSLATION);
	cr_assert(zero(u32, fake_faults.answered));
	map(0);
	resume(0x10, stag, true);
	is_answered(1, IOMMUFD_PAGE_RESP_SUCCESS);
	cr_assert(eq(u64, stats(0)->ended[FAULT_RETRIED], 1));
	resume(0x10, stag, true);
	cr_assert(zero(u32, fake_faults.unknown), "a second answer goes nowhere");
}

Test(vsmmu_fault, an_abort_is_one)
{
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_READ, 0);
	resume(0x10, recorded(0x10, ADDR, F_TRANSLATION), false);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(eq(u64, stats(0)->ended[FAULT_ABORTED], 1));
}

Test(vsmmu_fault, the_record_says_what_the_tables_do)
{
	fake_smmu_map(F, tables[0], PAGE, FAKE_SMMU_DATA, FAKE_S1_RO);
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	resume(0x10, recorded(0x10, ADDR, F_PERMISSION), false);
	fake_smmu_map(F, tables[0], PAGE, FAKE_SMMU_DATA, FAKE_S1_RW & ~(1ULL << 10));
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_READ, 0);
	resume(0x10, recorded(0x10, ADDR, F_ACCESS), false);
	is_answered(2, IOMMUFD_PAGE_RESP_INVALID);
}

Test(vsmmu_fault, what_is_mapped_already_is_retried_and_nobody_is_asked)
{
	map(0);
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	until(fake_faults.answered);
	is_answered(1, IOMMUFD_PAGE_RESP_SUCCESS);
	cr_assert(eq(u64, stats(0)->ended[FAULT_SPURIOUS], 1));
	expect_no_event(F);
}

/* A fault of stage 2 comes the same way, and would never end. */
Test(vsmmu_fault, what_stage_1_maps_to_no_memory_is_no_fault_of_the_guests)
{
	fake_smmu_map(F, tables[0], PAGE, 0x10000000, FAKE_S1_RW);
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	until(fake_faults.answered);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(eq(u64, stats(0)->ended[FAULT_REFUSED], 1));
	expect_no_event(F);
}

Test(vsmmu_fault, each_stream_has_its_own)
{
	u16 first, second;

	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	stalls(1, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	first = recorded(0x10, ADDR, F_TRANSLATION);
	second = recorded(0x11, ADDR, F_TRANSLATION);
	resume(0x11, first, true); /* another's */
	cr_assert(zero(u32, fake_faults.answered));
	map(1);
	resume(0x11, second, true);
	is_answered(1, IOMMUFD_PAGE_RESP_SUCCESS);
	resume(0x10, first, false);
	is_answered(2, IOMMUFD_PAGE_RESP_INVALID);
}

/* The host has answered them as it replaced the page table; its cookies may be anyone's now. */
Test(vsmmu_fault, what_waits_ends_with_its_page_table_and_a_late_answer_goes_nowhere)
{
	u16 stag;

	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	stag = recorded(0x10, ADDR, F_TRANSLATION);
	fake_vsmmu_configure(0);
	cr_assert(eq(u32, fake_faults.automatic, 1));
	cr_assert(eq(u64, stats(0)->ended[FAULT_ENDED_BY], 1));
	stalls(0, ADDR + 8, IOMMU_PGFAULT_PERM_WRITE, 0); /* with the same cookie */
	recorded(0x10, ADDR + 8, F_TRANSLATION);
	map(0);
	resume(0x10, stag, false);
	cr_assert(zero(u32, fake_faults.answered + fake_faults.unknown));
	fault_bridge_end(&fake_v.streams[0]->bridge, NULL);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
}

Test(vsmmu_fault, while_a_page_table_is_replaced_nothing_is_read)
{
	fake_smmu_queue(F, CFGI_STE | SID0, 0);
	fake_smmu_sync(F);
	cr_assert(fake_v.streams[0]->busy);
	stalls(1, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	cr_assert(eq(u32, fake_v.vsmmu->replacing, 1));
	fake_vsmmu_settle();
	resume(0x11, recorded(0x11, ADDR, F_TRANSLATION), false);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
}

Test(vsmmu_fault, a_reset_ends_what_waits_and_what_comes_meanwhile)
{
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	recorded(0x10, ADDR, F_TRANSLATION);
	vsmmu_stream_resets(fake_v.streams[0], true);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	until(fake_faults.answered == 2);
	is_answered(2, IOMMUFD_PAGE_RESP_INVALID);
	vsmmu_stream_resets(fake_v.streams[0], false);
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	resume(0x10, recorded(0x10, ADDR, F_TRANSLATION), false);
	is_answered(3, IOMMUFD_PAGE_RESP_INVALID);
}

/* 6.3.9.6 */
Test(vsmmu_fault, an_smmu_that_is_turned_off_waits_for_nobody)
{
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	recorded(0x10, ADDR, F_TRANSLATION);
	fake_smmu_write32(F, CR0, 0);
	fake_vsmmu_settle();
	cr_assert(zero(u32, stats(0)->outstanding));
	cr_assert(eq(u32, fake_faults.answered + fake_faults.automatic, 1));
}

/* 7.2.1: what has no room is not lost. */
Test(vsmmu_fault, a_full_event_queue_holds_them)
{
	const unsigned int room = 1 << F->eventq_log2size;
	u64 w[4];

	for (unsigned int i = 0; i < 20; i++)
		stalls(0, ADDR + i * 8, IOMMU_PGFAULT_PERM_WRITE, 0);
	until(stats(0)->shown == 20);
	cr_assert(eq(u64, fake_smmu_counts(F).stalls, 16), "STALL_MAX; of room for %u", room);
	for (unsigned int nr = 0; nr < 20; nr++) {
		until(written());
		cr_assert(fake_smmu_event(F, w));
		resume(0x10, FIELD_GET(EVT1_STAG, w[1]), false);
	}
	is_answered(20, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(zero(u64, fake_smmu_counts(F).lost));
}

Test(vsmmu_fault, s1stalld_is_the_guests_and_its_tables_have_the_queue)
{
	cr_assert(zero(u64, fake_ste_of(0)[1] & STE1_S1STALLD));
	cr_assert(fake_has_faults(fake_v.devs[0].id));
	fake_smmu_write32(F, CR0, 0);
	fake_vsmmu_settle();
	cr_assert(not(fake_has_faults(fake_v.devs[0].id)), "no table of a guest's, no fault of it");
}

Test(vsmmu_fault, an_answer_that_the_host_does_not_take_is_counted)
{
	struct vsmmu_counts c;
	u16 stag;

	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	stag = recorded(0x10, ADDR, F_TRANSLATION);
	fake_faults_end(fake_v.devs[0].id); /* it has, and nobody knows yet */
	resume(0x10, stag, false);
	vsmmu_count(fake_v.vsmmu, &c);
	cr_assert(eq(u64, c.faults, 1));
	cr_assert(eq(u64, c.answers_late, 1));
	cr_assert(zero(u64, c.answers));
}

Test(vsmmu_fault, what_is_never_answered_ends_in_time)
{
	u16 stag;

	fake_v.streams[0]->bridge.timeout = 20;
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	stag = recorded(0x10, ADDR, F_TRANSLATION);
	until(fake_faults.answered);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(eq(u64, stats(0)->ended[FAULT_TIMED_OUT], 1));
	resume(0x10, stag, true);
	cr_assert(zero(u32, fake_faults.unknown));
}

/* Whatever the guest has installed meanwhile. */
Test(vsmmu_fault, streams_that_are_installed_over_and_over_keep_nobody_waiting)
{
	stalls(1, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	fake_smmu_command(F, CFGI_STE | SID0, 0);
	fake_smmu_command(F, CFGI_STE | SID0, 0);
	cr_assert(fake_v.streams[0]->again);
	work_wait(F->vm.work, &fake_v.streams[0]->work);
	cr_assert(fake_v.streams[0]->busy);
	cr_assert(written());
	resume(0x11, recorded(0x11, ADDR, F_TRANSLATION), false);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	fake_vsmmu_settle();
}

/* 7.3, PnU */
Test(vsmmu_fault, what_is_privileged_is_walked_so)
{
	u64 w[4];

	fake_smmu_map(F, tables[0], PAGE, FAKE_SMMU_DATA, FAKE_S1_RW & ~(1ULL << 6));
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE | IOMMU_PGFAULT_PERM_PRIV, 0);
	until(fake_faults.answered);
	is_answered(1, IOMMUFD_PAGE_RESP_SUCCESS);
	fake_smmu_map(F, tables[0], PAGE, FAKE_SMMU_DATA, 0);
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE | IOMMU_PGFAULT_PERM_PRIV, 0);
	until(written());
	cr_assert(fake_smmu_event(F, w));
	cr_assert(ne(u64, w[1] & EVT1_PNU, 0));
	resume(0x10, FIELD_GET(EVT1_STAG, w[1]), false);
}

Test(vsmmu_fault, a_host_that_serves_none_says_so_before_the_guest_runs)
{
	const struct vsmmu_faults c = { .name = "it", .hub = &hub, .space = fake_smmu_dma(F, 0) };

	fault_bridge_remove(&fake_v.streams[0]->bridge);
	fake_v.streams[0]->stream.stalls = false;
	fake_iommufd.no_faults = -EOPNOTSUPP;
	cr_assert(eq(int, vsmmu_stream_stalls(fake_v.streams[0], &c), -EOPNOTSUPP));
	cr_assert(not(fake_v.streams[0]->stream.stalls));
}

Test(vsmmu_fault, a_function_that_goes_leaves_nothing_behind)
{
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	recorded(0x10, ADDR, F_TRANSLATION);
	vsmmu_stream_destroy(fake_v.streams[0]);
	fake_v.streams[0] = NULL;
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(zero(ptr, hub.bridges->next));
}

Test(vsmmu_fault, what_one_read_does_not_give_the_next_one_does)
{
	fake_faults.at_once = 2;
	for (unsigned int i = 0; i < 5; i++)
		stalls(0, ADDR + i * 8, IOMMU_PGFAULT_PERM_WRITE, 0);
	for (unsigned int i = 0; i < 5; i++)
		resume(0x10, recorded(0x10, ADDR + i * 8, F_TRANSLATION), false);
	is_answered(5, IOMMUFD_PAGE_RESP_INVALID);
}

Test(vsmmu_fault, a_read_that_fails_for_now_is_made_again)
{
	static const int errs[] = { -EINTR, -EAGAIN, -ENOMEM };

	for (unsigned int i = 0; i < ARRAY_SIZE(errs); i++) {
		fake_faults.read_err = errs[i];
		stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
		resume(0x10, recorded(0x10, ADDR, F_TRANSLATION), false);
		is_answered(i + 1, IOMMUFD_PAGE_RESP_INVALID);
	}
}

Test(vsmmu_fault, a_read_that_fails_for_now_loses_none_and_is_made_in_order)
{
	fake_faults.at_once = 2;
	fake_faults.read_err = -ENOMEM;
	for (unsigned int i = 0; i < 5; i++)
		stalls(i % 2, ADDR + i * 8, IOMMU_PGFAULT_PERM_WRITE, 0);
	for (unsigned int i = 0; i < 5; i++)
		resume(0x10 + i % 2, recorded(0x10 + i % 2, ADDR + i * 8, F_TRANSLATION), false);
	is_answered(5, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(zero(u32, fake_faults.nr + fake_faults.unknown));
}

static sem_t go_on;

static void wait_for_it(struct work *w)
{
	(void)w;
	while (sem_wait(&go_on))
		;
}

static void nothing(struct work *w)
{
	(void)w;
}

Test(vsmmu_fault, a_read_that_fails_as_a_page_table_was_replaced_is_made_by_the_loop)
{
	static struct work slow = { .run = wait_for_it, .done = nothing };

	sem_init(&go_on, 0, 0);
	work_submit(F->vm.work, &slow);
	fake_smmu_command(F, CFGI_STE | SID0, 0);
	stalls(1, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	until(!fake_v.vsmmu->faults_polled);
	sem_post(&go_on);
	fake_faults.read_err = -ENOMEM;
	fake_vsmmu_settle();
	cr_assert(zero(int, fake_faults.read_err));
	cr_assert(eq(u32, fake_faults.nr, 1));
	resume(0x11, recorded(0x11, ADDR, F_TRANSLATION), false);
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
}

Test(vsmmu_fault, a_queue_that_fails_is_said_once_and_read_no_more)
{
	u16 before;

	stalls(1, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	before = recorded(0x11, ADDR, F_TRANSLATION);
	listen_to_errors();
	fake_faults.read_err = -EIO;
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	until(!fake_faults.read_err);
	until(!fake_v.vsmmu->faults_polled);
	cr_assert(eq(str, said(stderr),
	             "nestor: the host's page faults: Input/output error: none is served from now "
	             "on\n"));
	resume(0x11, before, false); /* what was read can be answered */
	is_answered(1, IOMMUFD_PAGE_RESP_INVALID);
	stalls(1, ADDR + 8, IOMMU_PGFAULT_PERM_WRITE, 0);
	fake_vsmmu_configure(0); /* which reads what has come meanwhile */
	cr_assert(not(fake_v.vsmmu->faults_polled));
	cr_assert(eq(u32, fake_faults.nr, 1), "the other ended with its page table");
	cr_assert(eq(str, said(stderr), ""));
}

/* A guest that is asked by page requests. */
static struct dma_page_request asked;

static enum fault_asked ask(struct fault_asker *a, const struct dma_page_request *rq)
{
	(void)a;
	asked = *rq;
	return FAULT_ASKED;
}

static bool has(const struct fault_asker *a, u32 pasid, u16 group)
{
	(void)a;
	(void)pasid;
	(void)group;
	return false;
}

static void give_up(struct fault_asker *a, u32 pasid, u16 group)
{
	(void)a;
	(void)pasid;
	(void)group;
}
static struct fault_asker asker = { .ask = ask, .has = has, .give_up = give_up };

static void responds(enum dma_page_code code)
{
	const struct dma_page_response r = { asked.pasid, asked.group, code };

	cr_assert(fault_bridge_answered(vsmmu_stream_bridge(fake_v.streams[0]), &r));
}

Test(vsmmu_fault, a_page_request_is_no_event_and_its_answer_is_looked_at_in_the_tables)
{
	fault_bridge_set_asker(vsmmu_stream_bridge(fake_v.streams[0]), &asker);
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	until(stats(0)->shown);
	cr_assert(eq(u64, asked.iova, PAGE));
	responds(DMA_PAGE_SUCCESS); /* it says so */
	cr_assert(zero(u32, fake_faults.answered));
	fault_bridge_ask(vsmmu_stream_bridge(fake_v.streams[0]));
	map(0);
	responds(DMA_PAGE_SUCCESS);
	is_answered(1, IOMMUFD_PAGE_RESP_SUCCESS);
	expect_no_event(F);
	cr_assert(zero(u64, fake_smmu_counts(F).stalls));
}

Test(vsmmu_fault, no_page_request_is_made_of_what_no_page_mends)
{
	fault_bridge_set_asker(vsmmu_stream_bridge(fake_v.streams[0]), &asker);
	fake_smmu_map(F, tables[0], PAGE, 0x10000000, FAKE_S1_RW);
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 0);
	until(fake_faults.answered);
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_WRITE, 7); /* there is no such CD */
	until(fake_faults.answered == 2);
	is_answered(2, IOMMUFD_PAGE_RESP_INVALID);
	cr_assert(eq(u64, stats(0)->ended[FAULT_REFUSED], 2));
	expect_no_event(F);
}

/* None of an SMMUv3's is; but a cookie is answered once, whatever the host has for it. */
Test(vsmmu_fault, a_group_of_pages_has_one_answer)
{
	for (unsigned int i = 0; i < 3; i++)
		cr_assert(fake_fault_page(fake_v.devs[0].id, ADDR + i * 4096,
		                          IOMMU_PGFAULT_PERM_READ, i < 2));
	stalls(0, ADDR, IOMMU_PGFAULT_PERM_READ, 0);
	resume(0x10, recorded(0x10, ADDR + 2 * 4096, F_TRANSLATION), false);
	resume(0x10, recorded(0x10, ADDR, F_TRANSLATION), false);
	cr_assert(eq(u32, fake_faults.answered, 2));
	cr_assert(zero(u32, fake_faults.unknown));
	cr_assert(eq(u64, stats(0)->received, 2));
}
