// SPDX-License-Identifier: GPL-2.0-only
/* An SMMU on a VM of its own, with endpoints, and its driver, for tests. */
#include "tests/unit/fake_smmu.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "vmm/loop.h"

#define NR_STRUCTURES 64

struct smmu_id fake_smmu_id(const char *field, u64 value)
{
	struct smmu_id id;
	const char *expected;

	smmu_id_default(&id, 44);
	expected = smmu_id_set(&id, field, value);
	cr_assert(zero(ptr, (void *)expected), "%s: %s", field, expected);
	return id;
}

static u32 sid_of(const void *ctx)
{
	return *(const u32 *)ctx;
}

void fake_smmu_make(struct fake_smmu *f, const struct smmu_id *id)
{
	fake_smmu_make_with(f, id, NULL);
}

void fake_smmu_make_with(struct fake_smmu *f, const struct smmu_id *id,
                         struct smmu_backend *(*backend)(struct vm *vm))
{
	struct smmu_config c = {
		.name = "smmu0",
		.base = FAKE_SMMU_BASE,
		.eventq_spi = FAKE_SMMU_EVENTQ_SPI,
		.priq_spi = FAKE_SMMU_PRIQ_SPI,
		.sync_spi = FAKE_SMMU_SYNC_SPI,
		.gerror_spi = FAKE_SMMU_GERROR_SPI,
		.devid = FAKE_SMMU_DEVID,
	};

	*f = (struct fake_smmu){
		.cmdq = FAKE_SMMU_CMDQ,
		.cmdq_log2size = 8,
		.eventq = FAKE_SMMU_EVENTQ,
		.eventq_log2size = 7,
		.strtab_base = FAKE_SMMU_STRTAB,
		.strtab_cfg = 6,
		.next_table = FAKE_SMMU_TABLES,
	};
	smmu_id_default(&f->id, 44);
	if (id)
		f->id = *id;
	c.id = f->id;
	fake_vm(&f->vm, 1);
	if (backend)
		c.backend = backend(&f->vm);
	cr_assert(zero(int, smmu_create(&f->smmu, &f->vm, &c)));
	for (u32 i = 0; i < FAKE_SMMU_ENDPOINTS; i++) {
		f->sids[i] = 0x10 + i;
		cr_assert(zero(int, smmu_add_endpoint(f->smmu, &f->endpoints[i])));
		smmu_identify(f->endpoints[i], sid_of, &f->sids[i]);
	}
}

void fake_smmu_unmake(struct fake_smmu *f)
{
	fake_vm_stop(&f->vm);
	loop_drain(f->vm.loop);
	work_drain(f->vm.work);
	smmu_destroy(f->smmu);
	fake_vm_destroy(&f->vm);
}

u32 fake_smmu_read32(struct fake_smmu *f, u32 offset)
{
	return fake_read(&f->vm, FAKE_SMMU_BASE + offset, 4);
}

u64 fake_smmu_read64(struct fake_smmu *f, u32 offset)
{
	return fake_read(&f->vm, FAKE_SMMU_BASE + offset, 8);
}

void fake_smmu_write32(struct fake_smmu *f, u32 offset, u32 val)
{
	fake_write(&f->vm, FAKE_SMMU_BASE + offset, 4, val);
}

void fake_smmu_write64(struct fake_smmu *f, u32 offset, u64 val)
{
	fake_write(&f->vm, FAKE_SMMU_BASE + offset, 8, val);
}

u64 fake_smmu_get(struct fake_smmu *f, gpa_t gpa)
{
	u64 val;

	cr_assert(zero(int, guest_read(&f->vm.mem, gpa, &val, sizeof(val))), "%#llx",
	          (unsigned long long)gpa);
	return val;
}

void fake_smmu_put(struct fake_smmu *f, gpa_t gpa, u64 val)
{
	cr_assert(zero(int, guest_write(&f->vm.mem, gpa, &val, sizeof(val))), "%#llx",
	          (unsigned long long)gpa);
}

void fake_smmu_program(struct fake_smmu *f)
{
	fake_smmu_write64(f, CMDQ_BASE, f->cmdq | f->cmdq_log2size);
	fake_smmu_write64(f, EVENTQ_BASE, f->eventq | f->eventq_log2size);
	fake_smmu_write64(f, STRTAB_BASE, f->strtab_base);
	fake_smmu_write32(f, STRTAB_BASE_CFG, f->strtab_cfg);
	fake_smmu_write32(f, CR0, CR0_CMDQEN);
	fake_smmu_write32(f, CR0, CR0_CMDQEN | CR0_EVENTQEN);
	fake_smmu_write32(f, CR0, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
}

void fake_smmu_enable(struct fake_smmu *f)
{
	fake_smmu_program(f);
	cr_assert(eq(u32, fake_smmu_read32(f, CR0ACK), CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN));
}

/* An index with its wrap bit. */
static u32 next_index(u32 index, unsigned int log2size)
{
	return (index + 1) & (u32)GENMASK(log2size, 0);
}

void fake_smmu_queue(struct fake_smmu *f, u64 w0, u64 w1)
{
	const gpa_t at = f->cmdq + (f->prod & (BIT(f->cmdq_log2size) - 1)) * 16;

	fake_smmu_put(f, at, w0);
	fake_smmu_put(f, at + 8, w1);
	f->prod = next_index(f->prod, f->cmdq_log2size);
}

bool fake_smmu_kick(struct fake_smmu *f)
{
	fake_smmu_write32(f, CMDQ_PROD, f->prod);
	return (fake_smmu_read32(f, CMDQ_CONS) & QUEUE_INDEX) == f->prod;
}

bool fake_smmu_command(struct fake_smmu *f, u64 w0, u64 w1)
{
	fake_smmu_queue(f, w0, w1);
	return fake_smmu_kick(f);
}

bool fake_smmu_sync(struct fake_smmu *f)
{
	return fake_smmu_command(f, SYNC, 0);
}

void fake_smmu_forget(struct fake_smmu *f)
{
	fake_smmu_queue(f, CFGI_STE_RANGE, 31);
	fake_smmu_queue(f, TLBI_NSNH_ALL, 0);
	if (f->id.idr[0] & IDR0_HYP)
		fake_smmu_queue(f, TLBI_EL2_ALL, 0);
	cr_assert(fake_smmu_sync(f));
}

unsigned int fake_smmu_cerror(struct fake_smmu *f)
{
	const u32 active = fake_smmu_read32(f, GERROR) ^ fake_smmu_read32(f, GERRORN);

	return active & GERROR_CMDQ ? FIELD_GET(CMDQ_CONS_ERR, fake_smmu_read32(f, CMDQ_CONS))
	                            : CERROR_NONE;
}

bool fake_smmu_event(struct fake_smmu *f, u64 w[4])
{
	const u32 prod = fake_smmu_read32(f, EVENTQ_PROD) & QUEUE_INDEX;
	const u32 cons = fake_smmu_read32(f, EVENTQ_CONS);
	const u32 index = cons & QUEUE_INDEX;

	if (prod == index)
		return false;
	for (unsigned int i = 0; i < 4; i++)
		w[i] = fake_smmu_get(f, f->eventq + (index & (BIT(f->eventq_log2size) - 1)) * 32 +
		                                i * 8);
	fake_smmu_write32(f, EVENTQ_CONS,
	                  (cons & QUEUE_OVERFLOW) | next_index(index, f->eventq_log2size));
	return true;
}

static void put_words(struct fake_smmu *f, gpa_t table, u32 index, const u64 w[8])
{
	cr_assert(lt(u32, index, NR_STRUCTURES));
	for (unsigned int i = 0; i < 8; i++)
		fake_smmu_put(f, table + index * 64 + i * 8, w[i]);
}

void fake_smmu_ste(struct fake_smmu *f, u32 sid, const u64 w[8])
{
	put_words(f, FAKE_SMMU_STRTAB, sid, w);
}

void fake_smmu_cd(struct fake_smmu *f, unsigned int index, const u64 w[8])
{
	put_words(f, FAKE_SMMU_CDS, index, w);
}

void fake_smmu_ste_words(const struct fake_smmu *f, u64 w[8], unsigned int config, unsigned int cd,
                         u16 vmid, gpa_t s2ttb)
{
	memset(w, 0, 8 * sizeof(*w));
	w[0] = STE0_V | FIELD_PREP(STE0_CONFIG, (u64)config);
	if (config & CONFIG_S1)
		w[0] |= FAKE_SMMU_CDS + cd * 64;
	w[2] = vmid;
	if (!(config & CONFIG_S2))
		return;
	w[2] |= FIELD_PREP(STE2_S2T0SZ, 64ULL - 39) | FIELD_PREP(STE2_S2SL0, 1ULL) |
	        FIELD_PREP(STE2_S2PS, smmu_id_get(&f->id, "idr5.oas")) | STE2_S2AA64 | STE2_S2R;
	w[3] = s2ttb;
}

void fake_smmu_cd_words(const struct fake_smmu *f, u64 w[8], u16 asid, u64 ttb0)
{
	(void)f;
	memset(w, 0, 8 * sizeof(*w));
	w[0] = FIELD_PREP(CD0_T0SZ, 64ULL - 39) | CD0_EPD1 | CD0_V | FIELD_PREP(CD0_IPS, 5ULL) |
	       CD0_AA64 | CD0_R | CD0_A | CD0_ASET | FIELD_PREP(CD0_ASID, (u64)asid);
	w[1] = ttb0;
}

void fake_smmu_stage1(struct fake_smmu *f, u32 sid, unsigned int cd, u16 asid, u64 ttb0)
{
	u64 w[8];

	fake_smmu_cd_words(f, w, asid, ttb0);
	fake_smmu_cd(f, cd, w);
	fake_smmu_ste_words(f, w, CONFIG_TRAFFIC | CONFIG_S1, cd, 0, 0);
	fake_smmu_ste(f, sid, w);
}

void fake_smmu_stage2(struct fake_smmu *f, u32 sid, u16 vmid, gpa_t s2ttb)
{
	u64 w[8];

	fake_smmu_ste_words(f, w, CONFIG_TRAFFIC | CONFIG_S2, 0, vmid, s2ttb);
	fake_smmu_ste(f, sid, w);
}

gpa_t fake_smmu_table(struct fake_smmu *f)
{
	const gpa_t table = f->next_table;

	cr_assert(lt(u64, table, FAKE_SMMU_DATA), "no room for more tables");
	f->next_table += 0x1000;
	return table;
}

gpa_t fake_smmu_entry(struct fake_smmu *f, gpa_t root, int start, int level, u64 addr)
{
	gpa_t table = root;

	for (int at = start;; at++) {
		const gpa_t entry = table + (addr >> (39 - 9 * at) & 511) * 8;
		const u64 val = fake_smmu_get(f, entry);

		if (at == level)
			return entry;
		if ((val & 3) != 3)
			return 0;
		table = val & GENMASK(47, 12);
	}
}

void fake_smmu_map_at(struct fake_smmu *f, gpa_t root, int start, int level, u64 addr, u64 to,
                      u64 attrs)
{
	for (int at = start; at < level; at++) {
		if (!fake_smmu_entry(f, root, start, at + 1, addr))
			fake_smmu_put(f, fake_smmu_entry(f, root, start, at, addr),
			              fake_smmu_table(f) | 3);
	}
	if (attrs && level < 3)
		attrs &= ~2ULL;
	fake_smmu_put(f, fake_smmu_entry(f, root, start, level, addr), attrs ? to | attrs : 0);
}

void fake_smmu_map(struct fake_smmu *f, gpa_t root, u64 addr, u64 to, u64 attrs)
{
	fake_smmu_map_at(f, root, 1, 3, addr, to, attrs);
}

struct fake_smmu_reached fake_smmu_reach(struct fake_smmu *f, unsigned int endpoint, u64 iova,
                                         u32 perm, u32 pasid)
{
	struct iovec iov;
	struct dma_sg sg = { .iov = &iov, .max = 1 };
	struct dma_access a = { .iova = iova, .len = 1, .perm = perm, .pasid = pasid };
	struct fake_smmu_reached got = {
		.status = dma_map(fake_smmu_dma(f, endpoint), &a, &sg, NULL),
		.reason = a.reason,
	};

	if (got.status != DMA_OK)
		return got;
	got.gpa = f->vm.mem.base + ((u8 *)iov.iov_base - f->vm.mem.host);
	dma_unmap(fake_smmu_dma(f, endpoint), &sg);
	return got;
}

gpa_t fake_smmu_gpa(struct fake_smmu *f, u64 iova, u32 perm)
{
	return fake_smmu_reach(f, 0, iova, perm, DMA_NO_PASID).gpa;
}

struct smmu_counts fake_smmu_counts(const struct fake_smmu *f)
{
	struct smmu_counts c;

	smmu_count(f->smmu, &c);
	return c;
}
