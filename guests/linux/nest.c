// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested translation on the DMA endpoint (docs/dma-test.md) behind an SMMUv3, from user space: the
 * kernel's stage 2, and over it a stage 1 that this program writes, as a VMM's guest would.
 *   nest /dev/vfio/devices/vfioN    each test says "nest: NAME: ok", or what was wrong and exits
 */
#include <pthread.h>

#include "guests/linux/nested.h"

static void objects(void)
{
	struct iommu_vdevice_alloc vdev = { .size = sizeof(vdev),
		                            .dev_id = devid,
		                            .virt_id = VSID };
	uint32_t id;

	hw_info();
	write_tables();
	alloc_viommu();
	check(!alloc_stage1(IPA + TABLES, &nested), "nested HWPT");
	check(attach(nested) == ENOENT, "refusal of a stage 1 before there is a vDEVICE");
	check(alloc_nested(STE_S2, 0, &id) == EIO, "refusal of a stage 2 in a stage 1's STE");
	vdev.viommu_id = viommu;
	check(!ioctl(iommu, IOMMU_VDEVICE_ALLOC, &vdev), "vDEVICE");
	vdevice = vdev.out_vdevice_id;
	check(!attach(nested), "attach");
}

static void translation(void)
{
	const uint64_t odd = 24;

	memset(memory, 0, TABLES);
	check(does((struct operation){ .op = FILL, .iova = VA, .len = NR * PAGE, .arg = 11 }),
	      "fill");
	for (uint64_t i = 0; i < NR; i++)
		check(has_pattern(memory + page(i), PAGE, 11, i * PAGE / 8), "a page's place");
	for (uint64_t i = NR; i < NR_DATA; i++)
		check(!memory[page(i)] && !memcmp(memory + page(i), memory + page(i) + 1, PAGE - 1),
		      "a page that is not mapped");
	for (unsigned int i = 0; i < PAGE / 8; i++)
		put64(BUFFER + 8 * i, pattern(12, i));
	check(does((struct operation){ .op = WRITE, .iova = VA + PAGE - odd, .len = PAGE }) &&
	              has_pattern(memory + page(0) + PAGE - odd, odd, 12, 0) &&
	              has_pattern(memory + page(1), PAGE - odd, 12, odd / 8),
	      "write");
	check(does((struct operation){ .op = READ, .iova = VA + 9 * PAGE - odd, .len = PAGE }),
	      "read");
	for (unsigned int i = 0; i < PAGE / 8; i++)
		check(get64(BUFFER + 8 * i) == pattern(11, (9 * PAGE - odd) / 8 + i),
		      "what was read");
	check(does((struct operation){ .op = COPY,
	                               .iova = VA + 2 * PAGE,
	                               .iova2 = BLOCK_VA + odd,
	                               .len = 14 * PAGE }) &&
	              has_pattern(memory + BLOCK + odd, 14 * PAGE, 11, 2 * PAGE / 8),
	      "copy into a block");
	check(does((struct operation){ .op = FILL, .iova = BLOCK_VA, .len = BLOCK, .arg = 13 }) &&
	              has_pattern(memory + BLOCK, BLOCK, 13, 0),
	      "fill of a block");
}

static void stage1_faults(void)
{
	static const struct {
		uint64_t ipa, attributes;
		unsigned int id;
		int reads, writes;
	} pages[] = {
		{ 0, 0, F_TRANSLATION, 0, 0 },
		{ IPA, LEAF | ALL_RO | IS_PAGE, F_PERMISSION, 1, 0 },
		{ IPA, LEAF | IS_PAGE, F_PERMISSION, 0, 0 },
		{ IPA, (LEAF & NO_FLAG) | ALL_RW | IS_PAGE, F_ACCESS, 0, 0 },
		{ BAD_IPA, LEAF | ALL_RW | IS_PAGE, F_ADDR_SIZE, 0, 0 },
	};
	const uint64_t beyond[] = { 1ULL << 39, 0xffffff8000000000ULL, VA + NR * PAGE };

	for (unsigned int i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		const uint64_t va = TEST_VA + i * PAGE;

		*entry(va, 3) = pages[i].ipa | pages[i].attributes;
		check(pages[i].reads ? reads(va) : read_ends(va) && event(pages[i].id, 1, va),
		      "a read, or its fault in stage 1");
		check(write_ends(va) && event(pages[i].id, 0, va), "fault of a write in stage 1");
	}
	for (unsigned int i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		check(read_ends(beyond[i]) && event(F_TRANSLATION, 1, beyond[i]), "fault beyond");
	check(ends(
		      (struct operation){
			      .op = FILL, .iova = VA + 7, .len = 2 * NR * PAGE, .arg = 14 },
		      VA + NR * PAGE) &&
	              get64(slot(0) + 0x40) == NR * PAGE - 7 &&
	              event(F_TRANSLATION, 0, VA + NR * PAGE),
	      "fault behind what is mapped");
}

static void stage2_faults(void)
{
	const uint64_t va = TEST_VA + 64 * PAGE, far = TEST_VA + (8ULL << 30);
	uint32_t lost;

	*entry(va, 3) = NO_IPA | LEAF | ALL_RW | IS_PAGE;
	*entry(va + PAGE, 3) = RO_IPA | LEAF | ALL_RW | IS_PAGE;
	*entry(far, 2) = NO_IPA | TABLE;
	check(read_ends(va) && write_ends(va), "fault in stage 2");
	check(reads(va + PAGE) && write_ends(va + PAGE), "fault of a write in stage 2");
	check(read_ends(far), "fault of a table in stage 2");
	no_event("no event of stage 2");
	check(!alloc_stage1(NO_IPA, &lost) && !attach(lost), "a CD that is nowhere");
	check(read_ends(VA), "fault of a CD in stage 2");
	check(!attach(nested) && !destroy(lost), "attach again");
	no_event("no event of a CD in stage 2");
}

/* Each invalidation ends a translation that was used: then there is none, and then another. */
static void invalidation(void)
{
	const uint64_t va = TEST_VA + 128 * PAGE, leaf = 1;
	const struct {
		uint64_t word0, word1;
	} by[] = {
		{ tlbi(NH_VA, ASID), va | leaf }, { tlbi(NH_VA, ASID), va },
		{ tlbi(NH_VAA, 0), va | leaf },   { tlbi(NH_ASID, ASID), 0 },
		{ tlbi(NH_ALL, 0), 0 },           { tlbi(NSNH_ALL, 0), 0 },
	};
	const uint64_t nr = sizeof(by) / sizeof(by[0]);

	*entry(va, 3) = (IPA + page(0)) | LEAF | ALL_RW | IS_PAGE;
	for (uint64_t i = 0; i < nr; i++) {
		check(writes(va, i) && has_pattern(memory + page(i), PAGE, i, 0), "the new page");
		*entry(va, 3) = 0;
		check(invalidate_one(by[i].word0, by[i].word1), "invalidation");
		check(read_ends(va) && event(F_TRANSLATION, 1, va), "the page that went");
		*entry(va, 3) = (IPA + page(i + 1)) | LEAF | ALL_RW | IS_PAGE;
	}
	check(writes(va, nr), "the last page");
	for (uint64_t i = 0; i < nr; i++)
		check(has_pattern(memory + page(i), PAGE, i, 0), "a page of before");
}

static void batches(void)
{
	struct iommu_viommu_arm_smmuv3_invalidate commands[200];

	for (unsigned int i = 0; i < 200; i++)
		commands[i] = (struct iommu_viommu_arm_smmuv3_invalidate){
			{ tlbi(NH_VA, ASID), (VA + i % NR * PAGE) | 1 }
		};
	check(invalidate(commands, 200) == 200, "200 commands");
	commands[3].cmd[0] = SYNC;
	check(invalidate(commands, 200) == -4, "refusal of CMD_SYNC");
	commands[0].cmd[0] = cfgi(CFGI_STE, VSID);
	check(invalidate(commands, 1) == -1, "refusal of CFGI_STE");
	commands[0].cmd[0] = cfgi(CFGI_CD, VSID + 1);
	check(invalidate(commands, 1) == -1, "refusal of another's StreamID");
	check(reads(VA), "a translation after that");
}

/* Another CD, with tables and an ASID of its own; one that is not valid; and the first again. */
static void descriptors(void)
{
	const uint64_t first = root, leaf = 1;

	check(reads(VA), "a translation by the first CD");
	root = new_table();
	*entry(VA, 3) = (IPA + page(NR)) | LEAF | ALL_RW | IS_PAGE;
	cd(0)[0] = 0;
	check(invalidate_one(cfgi(CFGI_CD, VSID), leaf), "CFGI_CD");
	check(read_ends(VA) && event(C_BAD_CD, 0, 0), "a CD that is not valid");
	write_cd(0, OTHER_ASID);
	check(invalidate_one(cfgi(CFGI_CD_ALL, VSID), 0), "CFGI_CD_ALL");
	check(writes(VA, 21) && has_pattern(memory + page(NR), PAGE, 21, 0), "the other CD");
	check(read_ends(VA + PAGE) && event(F_TRANSLATION, 1, VA + PAGE), "the other CD's fault");
	root = first;
	write_cd(0, ASID);
	check(invalidate_one(cfgi(CFGI_CD, VSID), leaf), "CFGI_CD");
	check(writes(VA, 22) && has_pattern(memory + page(0), PAGE, 22, 0) && reads(VA + PAGE),
	      "the first CD again");
}

/* The kernel takes a mapping from under stage 1, and another takes its place. */
static void stage2_unmap(void)
{
	const uint64_t va = TEST_VA + 192 * PAGE;

	*entry(va, 3) = (TMP_IPA + PAGE) | LEAF | ALL_RW | IS_PAGE;
	check(writes(va, 31) && has_pattern(more + PAGE, PAGE, 31, 0), "what will go");
	check(!unmap(ioas, TMP_IPA, 2 * PAGE), "unmap");
	check(read_ends(va), "what went");
	no_event("no event of what went");
	check(!map(ioas, TMP_IPA, more + 2 * PAGE, 2 * PAGE, IOMMU_IOAS_MAP_WRITEABLE),
	      "map again");
	check(writes(va, 32) && has_pattern(more + PAGE, PAGE, 31, 0) &&
	              has_pattern(more + 3 * PAGE, PAGE, 32, 0),
	      "what came");
}

static int invalidating, invalidated;

static void *invalidate_there(void *arg)
{
	(void)arg;
	run_on(1);
	__atomic_store_n(&invalidating, 1, __ATOMIC_RELEASE);
	check(invalidate_one(tlbi(NH_VA, ASID), VA | 1), "invalidation of what is held");
	__atomic_store_n(&invalidated, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void held(void)
{
	pthread_t thread;

	run_on(0);
	start(7,
	      (struct operation){ .op = FILL, .flags = HELD, .iova = VA, .len = PAGE, .arg = 41 });
	check(status(7) == IS_HELD, "hold");
	*entry(VA, 3) = 0;
	check(!pthread_create(&thread, NULL, invalidate_there, NULL), "thread");
	while (!__atomic_load_n(&invalidating, __ATOMIC_ACQUIRE))
		;
	spin_ms(200);
	check(!__atomic_load_n(&invalidated, __ATOMIC_ACQUIRE), "an invalidation that waits");
	put32(slot(7) + 0x38, RELEASE);
	check(status(7) == DONE && has_pattern(memory + page(0), PAGE, 41, 0), "release");
	pthread_join(thread, NULL);
	check(read_ends(VA) && event(F_TRANSLATION, 1, VA), "fault after the invalidation");
	*entry(VA, 3) = (IPA + page(0)) | LEAF | ALL_RW | IS_PAGE;
}

static void bypass(void)
{
	uint32_t id;

	check(!alloc_nested(STE_BYPASS, 0, &id) && !attach(id), "attach of a bypass");
	check(writes(IPA + page(3), 51) && has_pattern(memory + page(3), PAGE, 51, 0), "an IPA");
	check(reads(RO_IPA) && write_ends(RO_IPA) && read_ends(NO_IPA) && read_ends(VA), "fault");
	check(!attach(nested) && !destroy(id) && reads(VA) && read_ends(IPA) &&
	              event(F_TRANSLATION, 1, IPA),
	      "attach after a bypass");
}

static void aborts(void)
{
	uint32_t id;

	check(!alloc_nested(STE_ABORT, 0, &id) && !attach(id), "attach of an abort");
	check(read_ends(VA) && write_ends(IPA) && read_ends(NO_IPA), "abort");
	check(!attach(nested) && !destroy(id) && reads(VA), "attach after an abort");
	no_event("no event of an abort");
}

/* What the kernel does not look at, the SMMU does. S1STALLD is legal where there may be stalls. */
static void bad_stes(void)
{
	const uint64_t cds[] = { CDS(21), CDS(0) }, how[] = { 0, STALLD };
	uint32_t id;

	for (unsigned int i = 0; i < (stall_model ? 2 : 1); i++) {
		check(!alloc_nested(STE_S1 | cds[i] | (IPA + TABLES), S1_WALK | how[i], &id) &&
		              !attach(id),
		      "attach of an STE that is not legal");
		check(read_ends(VA) && event(C_BAD_STE, 0, 0), "an STE that is not legal");
		check(!attach(nested) && !destroy(id) && reads(VA), "attach after it");
	}
}

/* Where it is legal, a stage 1 with S1STALLD is as any other; but no CD may have faults wait. */
static void stalls_disabled(void)
{
	uint32_t id;

	if (stall_model)
		return;
	check(!alloc_nested(STE_S1 | (IPA + TABLES), S1_WALK | STALLD, &id) && !attach(id),
	      "attach of a stage 1 without stalls");
	check(reads(VA) && read_ends(IPA) && event(F_TRANSLATION, 1, IPA), "a fault that ends");
	cd(0)[0] |= CD_S;
	check(invalidate_one(cfgi(CFGI_CD, VSID), 1) && read_ends(VA) && event(C_BAD_CD, 0, 0),
	      "a CD that would have it wait");
	cd(0)[0] &= ~CD_S;
	check(invalidate_one(cfgi(CFGI_CD, VSID), 1) && reads(VA), "a CD as before");
	check(!attach(nested) && !destroy(id) && reads(VA), "attach after it");
}

/* Without a PASID: what goes past stage 1, and what goes nowhere. */
static void defaults(void)
{
	uint32_t id, other;

	check(!alloc_nested(STE_S1 | CDS(2) | (IPA + TABLES), S1_WALK | BYPASSES, &id) &&
	              !attach(id),
	      "attach of a bypass without a PASID");
	check(writes(IPA + page(5), 73) && has_pattern(memory + page(5), PAGE, 73, 0), "an IPA");
	pasid = 1;
	check(reads(VA) && read_ends(IPA) && event(F_TRANSLATION, 1, IPA), "with a PASID");
	pasid = 0;
	check(!alloc_nested(STE_S1 | CDS(2) | (IPA + TABLES), S1_WALK | TERMINATES, &other) &&
	              !attach(other) && !destroy(id),
	      "attach of an end without a PASID");
	check(read_ends(VA) && event(F_STREAM_DISABLED, 0, 0), "a stream that is disabled");
	check(!attach(nested) && !destroy(other), "attach after it");
}

/* A table of four CDs: of what has no PASID (S1DSS), of PASID 1, and two that are not valid. */
static void substreams(void)
{
	const uint64_t first = root, leaf = 1, of_1 = 1ULL << 12;
	uint32_t id;

	root = new_table();
	*entry(VA, 3) = (IPA + page(NR)) | LEAF | ALL_RW | IS_PAGE;
	write_cd(1, OTHER_ASID);
	root = first;
	check(!alloc_nested(STE_S1 | CDS(2) | (IPA + TABLES), S1_WALK | SSID0, &id) && !attach(id),
	      "attach of a table of CDs");
	check(writes(VA, 71) && has_pattern(memory + page(0), PAGE, 71, 0), "without a PASID");
	pasid = 1;
	check(writes(VA, 72) && has_pattern(memory + page(NR), PAGE, 72, 0) &&
	              has_pattern(memory + page(0), PAGE, 71, 0),
	      "with a PASID");
	check(read_ends(VA + PAGE) && event(F_TRANSLATION, 1, VA + PAGE), "fault with a PASID");
	pasid = 0;
	defaults();
	check(!attach(id), "attach again");
	pasid = 1;
	check(reads(VA), "with a PASID again");
	cd(1)[0] = 0;
	check(invalidate_one(cfgi(CFGI_CD, VSID) | of_1, leaf), "CFGI_CD of a PASID");
	check(read_ends(VA) && event(C_BAD_CD, 0, 0), "a CD that went");
	pasid = 4;
	check(read_ends(VA) && event(C_BAD_SUBSTREAMID, 0, 0), "a PASID beyond the table");
	pasid = 0;
	check(reads(VA + PAGE) && !attach(nested) && !destroy(id), "attach after a table of CDs");
	no_event("no event without a PASID");
}

static void optional_substreams(void)
{
	if (get32(0x10) >> 8 & 31)
		substreams();
	else
		printf("nest: no PASIDs\n");
}

static int translates(void)
{
	return does((struct operation){ .op = TRANSLATE, .flags = 3, .iova = VA });
}

static int writes_translated(uint64_t seed)
{
	return does((struct operation){
		.op = FILL, .flags = TRANSLATED, .iova = VA, .len = PAGE, .arg = seed });
}

/* The guest's STE lets its device cache translations, and its commands invalidate them. */
static void ats(void)
{
	const uint64_t there = LEAF | ALL_RW | IS_PAGE;
	uint32_t id;

	check(!alloc_nested(STE_S1 | (IPA + TABLES), S1_WALK | FULL_ATS, &id) && !attach(id),
	      "attach with ATS");
	check(translates() && writes_translated(61) && has_pattern(memory + page(0), PAGE, 61, 0),
	      "a write by a translation");
	*entry(VA, 3) = (IPA + page(NR)) | there;
	check(invalidate_one(tlbi(NH_VA, ASID), VA | 1) && writes_translated(62) &&
	              has_pattern(memory + page(0), PAGE, 62, 0),
	      "one that the device still has");
	check(invalidate_one(cfgi(ATC_INV, VSID), VA) && !writes_translated(63) &&
	              has_pattern(memory + page(0), PAGE, 62, 0),
	      "one that was invalidated");
	check(translates() && writes_translated(64) && has_pattern(memory + page(NR), PAGE, 64, 0),
	      "a write to where the page is now");
	*entry(VA, 3) = (IPA + page(0)) | there;
	check(invalidate_one(tlbi(NH_VA, ASID), VA | 1) && !attach(nested) && !destroy(id),
	      "attach without ATS");
	check(!writes_translated(65) && reads(VA), "a write by what was cached before");
	no_event("no event of ATS");
}

static void optional_ats(void)
{
	if (get32(0x10) & 1)
		ats();
	else
		printf("nest: no ATS\n");
}

static void detach_all(void)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	check(destroy(nested) == EBUSY && destroy(viommu) == EBUSY && destroy(parent) == EBUSY &&
	              destroy(ioas) == EBUSY,
	      "refusal to destroy what is used");
	check(!ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach), "detach");
	check(read_ends(VA) && read_ends(IPA), "fault after the detach");
	check(!destroy(nested) && !destroy(vdevice), "destroy");
	check(!read(events, &detach, sizeof(detach)), "no event that nobody asked for");
	check(!close(events) && !destroy(veventq) && !destroy(viommu) && !destroy(parent),
	      "destroy of the vIOMMU");
	check(!unmap(ioas, TMP_IPA, 2 * PAGE) && !destroy(ioas) && destroy(ioas) == ENOENT,
	      "destroy of the IOAS");
}

/* The driver's own stage 1, and then all of it once more. */
static void again(void)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };
	const uint32_t plain = alloc_ioas();

	check(!map(plain, VA, memory, SIZE, IOMMU_IOAS_MAP_WRITEABLE) && !attach(plain), "attach");
	check(writes(VA + PAGE, 61) && has_pattern(memory + PAGE, PAGE, 61, 0),
	      "an ordinary domain");
	check(!ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach) && !destroy(plain), "detach");
	objects();
	translation();
	no_event("the first event");
	detach_all();
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "objects", objects },
		{ "translation", translation },
		{ "stage-1 faults", stage1_faults },
		{ "stage-2 faults", stage2_faults },
		{ "invalidation", invalidation },
		{ "batches", batches },
		{ "context descriptors", descriptors },
		{ "stage-2 unmap", stage2_unmap },
		{ "held", held },
		{ "bypass", bypass },
		{ "abort", aborts },
		{ "bad STEs", bad_stes },
		{ "stalls disabled", stalls_disabled },
		{ "substreams", optional_substreams },
		{ "ATS", optional_ats },
		{ "detach", detach_all },
		{ "again", again },
	};

	setlinebuf(stdout);
	check(argc == 2, "nest DEVICE");
	open_endpoint(argv[1]);
	memory = alloc_memory(SIZE);
	more = alloc_memory(4 * PAGE);
	run_tests(tests, sizeof(tests) / sizeof(tests[0]));
	return 0;
}
