// SPDX-License-Identifier: GPL-2.0-only
/* ID registers by name, and their values in a VM (DDI 0487, D24.2; KVM's api.rst 4.139). */
#include "vmm/arm64/id_regs.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>

#include "vmm/arch.h"
#include "vmm/arm64/cpu.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

#define NAME  24
#define MPIDR ARM64_SYS_REG(3, 0, 0, 0, 5)

/*
 * Fields from bit 0 up, of 4 bits each where no width is said; "-" is none. The rest of a
 * register has no fields.
 */
static const struct id_reg {
	const char *name;
	u8 op1, crm, op2; /* op0 is 3, CRn 0 */
	const char *fields;
} id_regs[] = {
	{ "ctr_el0", 3, 0, 1, "iminline -:10 l1ip:2 dminline erg cwg idc:1 dic:1 -:2 tminline:6" },
	/* what AArch32 has at EL0 */
	{ "id_pfr0_el1", 0, 1, 0, "state0 state1 state2 state3 csv2 amu dit ras" },
	{ "id_pfr1_el1", 0, 1, 1,
	  "progmod security mprogmod virtualization gentimer sec_frac virt_frac gic" },
	{ "id_dfr0_el1", 0, 1, 2,
	  "copdbg copsdbg mmapdbg coptrc mmaptrc mprofdbg perfmon tracefilt" },
	{ "id_mmfr0_el1", 0, 1, 4, "vmsa pmsa outershr sharelvl tcm auxreg fcse innershr" },
	{ "id_mmfr1_el1", 0, 1, 5, "l1hvdva l1univa l1hvdsw l1unisw l1hvd l1uni l1tstcln bpred" },
	{ "id_mmfr2_el1", 0, 1, 6,
	  "l1hvdfg l1hvdbg l1hvdrng hvdtlb unitlb membarr wfistall hwaccflg" },
	{ "id_mmfr3_el1", 0, 1, 7,
	  "cmaintva cmaintsw bpmaint maintbcst pan cohwalk cmemsz supersec" },
	{ "id_isar0_el1", 0, 2, 0, "swap bitcount bitfield cmpbranch coproc debug divide" },
	{ "id_isar1_el1", 0, 2, 1,
	  "endian except except_ar extend ifthen immediate interwork jazelle" },
	{ "id_isar2_el1", 0, 2, 2,
	  "loadstore memhint multiaccessint mult mults multu psr_ar reversal" },
	{ "id_isar3_el1", 0, 2, 3, "saturate simd svc synchprim tabbranch t32copy truenop t32ee" },
	{ "id_isar4_el1", 0, 2, 4,
	  "unpriv withshifts writeback smc barrier synchprim_frac psr_m swp_frac" },
	{ "id_isar5_el1", 0, 2, 5, "sevl aes sha1 sha2 crc32 - rdm vcma" },
	{ "id_mmfr4_el1", 0, 2, 6, "specsei ac2 xnx cnp hpds lsm ccidx evt" },
	{ "id_isar6_el1", 0, 2, 7, "jscvt dp fhm sb specres bf16 i8mm" },
	{ "id_pfr2_el1", 0, 3, 4, "csv3 ssbs ras_frac" },
	{ "id_dfr1_el1", 0, 3, 5, "mtpmu hpmn0" },
	{ "id_mmfr5_el1", 0, 3, 6, "ets ntlbpa" },
	/* AArch64 */
	{ "id_aa64pfr0_el1", 0, 4, 0,
	  "el0 el1 el2 el3 fp advsimd gic ras sve sel2 mpam amu dit rme csv2 csv3" },
	{ "id_aa64pfr1_el1", 0, 4, 1,
	  "bt ssbs mte ras_frac mpam_frac - sme rndr_trap csv2_frac nmi mte_frac gcs the mtex df2 "
	  "pfar" },
	{ "id_aa64pfr2_el1", 0, 4, 2, "mteperm mtestoreonly mtefar gcie uinj -:12 fpmr" },
	{ "id_aa64zfr0_el1", 0, 4, 4,
	  "svever aes - eltperm bitperm bf16 b16b16 - sha3 - sm4 i8mm f16mm f32mm f64mm" },
	{ "id_aa64smfr0_el1", 0, 4, 5,
	  "smop4:1 -:15 stmop:1 -:6 sfexpa:1 aes:1 sbitperm:1 -:2 sf8dp2:1 sf8dp4:1 sf8fma:1 -:1 "
	  "f32f32:1 bi32i32:1 b16f32:1 f16f32:1 i8i32 f8f32:1 f8f16:1 f16f16:1 b16b16:1 i16i32 "
	  "f64f64:1 -:3 i16i64 smever lutv2:1 lut6:1 -:1 fa64:1" },
	{ "id_aa64fpfr0_el1", 0, 4, 7,
	  "f8e5m2:1 f8e4m3:1 -:13 f16mm2:1 -:10 f8mm4:1 f8mm8:1 f8dp2:1 f8dp4:1 f8fma:1 f8cvt:1" },
	{ "id_aa64dfr0_el1", 0, 5, 0,
	  "debugver tracever pmuver brps pmss wrps sebep ctx_cmps pmsver doublelock tracefilt "
	  "tracebuffer mtpmu brbe exttrcbuff hpmn0" },
	{ "id_aa64dfr1_el1", 0, 5, 1,
	  "syspmuid:8 brps:8 wrps:8 ctx_cmps:8 spmu pmicntr able ite ebep dpfzs abl_cmps:8" },
	{ "id_aa64dfr2_el1", 0, 5, 2, "step bwe -:8 spe_exc spe_nvm trbe_exc" },
	{ "id_aa64isar0_el1", 0, 6, 0,
	  "- aes sha1 sha2 crc32 atomic - rdm sha3 sm3 sm4 dp fhm ts tlb rndr" },
	{ "id_aa64isar1_el1", 0, 6, 1,
	  "dpb apa api jscvt fcma lrcpc gpa gpi frintts sb specres bf16 dgh i8mm xs ls64" },
	{ "id_aa64isar2_el1", 0, 6, 2,
	  "wfxt rpres gpa3 apa3 mops bc pac_frac clrbhb sysreg_128 sysinstr_128 prfmslc pcdphint "
	  "rprfm cssc lut ats1a" },
	{ "id_aa64isar3_el1", 0, 6, 3, "cpa faminmax tlbiw pacm lsfe occmo lsui fprcvt" },
	{ "id_aa64mmfr0_el1", 0, 7, 0,
	  "parange asidbits bigend snsmem bigendel0 tgran16 tgran64 tgran4 tgran16_2 tgran64_2 "
	  "tgran4_2 exs -:8 fgt ecv" },
	{ "id_aa64mmfr1_el1", 0, 7, 1,
	  "hafdbs vmidbits vh hpds lo pan specsei xnx twed ets hcx afp ntlbpa tidcp1 cmow ecbhb" },
	{ "id_aa64mmfr2_el1", 0, 7, 2,
	  "cnp uao lsm iesb varange ccidx nv st at ids fwb - ttl bbm evt e0pd" },
	{ "id_aa64mmfr3_el1", 0, 7, 3,
	  "tcrx sctlrx s1pie s2pie s1poe s2poe aie mec d128 d128_2 snerr anerr - sderr aderr "
	  "spec_fpacc" },
	{ "id_aa64mmfr4_el1", 0, 7, 4,
	  "pops eiesb asid2 hacdbs fgwte3 nv_frac e2h0 rmegdi - e3dse - srmask" },
};

static u64 number_of(unsigned int op1, unsigned int crm, unsigned int op2)
{
	return ARM64_SYS_REG(3, op1, 0, crm, op2);
}

static const struct id_reg *find(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(id_regs); i++)
		if (strlen(id_regs[i].name) == len && !strncasecmp(id_regs[i].name, name, len))
			return &id_regs[i];
	return NULL;
}

/* The encoding itself, as assemblers spell it. False: it is none of an ID register. */
static bool encoding(const char *name, u64 *reg)
{
	unsigned int op1, crm, op2;
	int end = 0;

	if (sscanf(name, "s3_%1u_c0_c%1u_%1u%n", &op1, &crm, &op2, &end) != 3 || name[end] ||
	    (op1 != 0 && op1 != 1 && op1 != 3) || crm > 7 || op2 > 7)
		return false;
	*reg = number_of(op1, crm, op2);
	return true;
}

/* The bits of the field called @name; 0: there is none. */
static u64 field(const char *fields, const char *name)
{
	unsigned int at = 0;

	while (*fields) {
		size_t word = strcspn(fields, " ");
		size_t len = strcspn(fields, " :");
		unsigned int width = 4;

		if (len < word)
			sscanf(fields + len, ":%2u", &width);
		if (*name != '-' && strlen(name) == len && !strncasecmp(fields, name, len))
			return GENMASK(at + width - 1, at);
		at += width;
		fields += word + (fields[word] == ' ');
	}
	return 0;
}

const char *id_change_parse(const char *name, u64 val, struct id_change *c, char *why, size_t len)
{
	const char *dot = strchr(name, '.');
	const struct id_reg *r = find(name, dot ? (size_t)(dot - name) : strlen(name));

	*c = (struct id_change){ .mask = ~0ULL, .val = val };
	if (!dot && encoding(name, &c->reg))
		return c->reg == MPIDR ? "another register: MPIDR_EL1 is each CPU's own number"
		                       : NULL;
	if (!r)
		return "an ID register such as id_aa64pfr0_el1, or s3_0_c0_c4_0";
	c->reg = number_of(r->op1, r->crm, r->op2);
	if (!dot)
		return NULL;
	c->mask = field(r->fields, dot + 1);
	c->val = FIELD_PREP(c->mask, val);
	if (!c->mask)
		snprintf(why, len, "a field of %s: %s", r->name, r->fields);
	else if (FIELD_GET(c->mask, c->val) != val)
		snprintf(why, len, "at most %llu in that field",
		         (unsigned long long)(c->mask / FIELD_LOW(c->mask)));
	else
		return NULL;
	return why;
}

static void name_of(u64 reg, char name[NAME])
{
	for (size_t i = 0; i < ARRAY_SIZE(id_regs); i++) {
		const struct id_reg *r = &id_regs[i];

		if (number_of(r->op1, r->crm, r->op2) != reg)
			continue;
		snprintf(name, NAME, "%s", r->name);
		return;
	}
	snprintf(name, NAME, "s3_%u_c0_c%u_%u",
	         (unsigned int)FIELD_GET(KVM_REG_ARM64_SYSREG_OP1_MASK, reg),
	         (unsigned int)FIELD_GET(KVM_REG_ARM64_SYSREG_CRM_MASK, reg),
	         (unsigned int)FIELD_GET(KVM_REG_ARM64_SYSREG_OP2_MASK, reg));
}

/* The bits of @reg that KVM lets be written, as far as it tells; 0: none. */
static u64 writable(struct vm *vm, u64 reg)
{
	u64 masks[KVM_ARM_FEATURE_ID_RANGE_SIZE] = { 0 };
	struct reg_mask_range range = { .addr = (unsigned long)masks,
		                        .range = KVM_ARM_FEATURE_ID_RANGE };

	if (vm->kvm.ops->arm_reg_masks(&vm->kvm, &range))
		return 0;
	return masks[KVM_ARM_FEATURE_ID_RANGE_IDX(3, FIELD_GET(KVM_REG_ARM64_SYSREG_OP1_MASK, reg),
	                                          0, FIELD_GET(KVM_REG_ARM64_SYSREG_CRM_MASK, reg),
	                                          FIELD_GET(KVM_REG_ARM64_SYSREG_OP2_MASK, reg))];
}

static int access_reg(const struct vcpu *vcpu, u64 reg, u64 *val, bool write)
{
	struct kvm *k = &vcpu->vm->kvm;
	struct kvm_one_reg one = { .id = reg, .addr = (unsigned long)val };

	return write ? k->ops->set_one_reg(k, vcpu->fd, &one)
	             : k->ops->get_one_reg(k, vcpu->fd, &one);
}

/* KVM takes some values and keeps its own: that is a refusal too. */
static int set_checked(const struct vcpu *vcpu, u64 reg, u64 val)
{
	u64 now = ~val;
	int err = access_reg(vcpu, reg, &val, true);

	if (!err)
		err = access_reg(vcpu, reg, &now, false);
	return err ? err : now == val ? 0 : -EINVAL;
}

/* Most are one for all vCPUs in KVM, but CLIDR_EL1 is one for each (is_vm_ftr_id_reg). */
static int set_all(struct vm *vm, u64 reg, u64 val)
{
	int err = 0;

	for (unsigned int i = 0; i < vm->nr_vcpus && !err; i++)
		err = set_checked(&vm->vcpus[i], reg, val);
	return err;
}

/* All changes of one register at once: its fields may hang together. */
static int apply(struct vm *vm, const struct id_change *c, unsigned int nr, char *why, size_t len)
{
	u64 host, val;
	char name[NAME];
	int err = access_reg(&vm->vcpus[0], c->reg, &host, false);

	name_of(c->reg, name);
	if (err) {
		snprintf(why, len, "--cpu %s: %s: expected a register that this host's KVM has",
		         name, strerror(-err));
		return err;
	}
	val = host;
	for (unsigned int i = 0; i < nr; i++)
		if (c[i].reg == c->reg)
			val = (val & ~c[i].mask) | c[i].val;
	err = set_all(vm, c->reg, val);
	if (err)
		snprintf(why, len,
		         "--cpu %s=%#llx: %s: expected the %#llx of this host, or less of it in "
		         "the bits %#llx",
		         name, (unsigned long long)val, strerror(-err), (unsigned long long)host,
		         (unsigned long long)writable(vm, c->reg));
	return err;
}

int id_changes_apply(struct vm *vm, const struct id_change *changes, unsigned int nr, char *why,
                     size_t len)
{
	int err = 0;

	for (unsigned int i = 0; i < nr && !err; i++) {
		unsigned int first = 0;

		while (changes[first].reg != changes[i].reg)
			first++;
		if (first == i)
			err = apply(vm, &changes[i], nr - i, why, len);
	}
	return err;
}

/* Whether the user has said what is in a field of @c's. */
static bool is_said(const struct vm *vm, const struct id_change *c)
{
	for (unsigned int i = 0; vm->arch && i < vm->arch->nr_ids; i++)
		if (vm->arch->ids[i].reg == c->reg && vm->arch->ids[i].mask & c->mask)
			return true;
	return false;
}

/* Of TGran4, whose values have a sign: -1. */
#define NOT_IMPLEMENTED 0xf

int id_limit(struct vm *vm, const char *field, u64 most)
{
	struct id_change c;
	char why[400];
	u64 val;
	int err;

	if (id_change_parse(field, most, &c, why, sizeof(why)) || is_said(vm, &c))
		return -EINVAL;
	err = access_reg(&vm->vcpus[0], c.reg, &val, false);
	if (err || FIELD_GET(c.mask, val) <= most || FIELD_GET(c.mask, val) == NOT_IMPLEMENTED)
		return err;
	return set_all(vm, c.reg, (val & ~c.mask) | c.val);
}

/* One that cannot be less stays: then it is the driver that shares no tables. */
void arch_limit_tables(struct vm *vm, const struct arch_tables *t)
{
	id_limit(vm, "id_aa64mmfr0_el1.parange", t->address_size);
	id_limit(vm, "id_aa64mmfr0_el1.asidbits", t->asid16 ? 2 : 0);
	id_limit(vm, "id_aa64mmfr1_el1.hafdbs", 2);
	id_limit(vm, "id_aa64mmfr2_el1.bbm", t->bbm);
	/* 52 bits of addresses: with smaller granules (LPA2) Linux shares none */
	id_limit(vm, "id_aa64mmfr2_el1.varange", t->vax);
	id_limit(vm, "id_aa64mmfr0_el1.tgran16", 1);
	id_limit(vm, "id_aa64mmfr0_el1.tgran4", 0);
}
