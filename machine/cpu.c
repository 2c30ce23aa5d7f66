// SPDX-License-Identifier: GPL-2.0-only
/* --cpu: what vCPUs have, and what their ID registers say. */
#include "machine/cpu.h"

#include <string.h>

#include "machine/keys.h"
#include "vmm/arm64/gic.h"
#include "vmm/log.h"

static const char expected_keys[] = "pmu=, sve=, pauth=, or an ID register's REG.FIELD=N or REG=N";
static const char expected_sve[] = "sve=auto, on, off or a vector length in bits: "
				   "128 to 2048, a multiple of 128";

static bool take_wish(enum wish *wish, const char *val)
{
	static const char *const words[] = { "auto", "on", "off" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], val))
			continue;
		*wish = i;
		return true;
	}
	return false;
}

static const char *take_sve(struct arch_config *c, const char *val)
{
	const char *rest;
	u64 bits;

	c->sve_bits = 0;
	if (take_wish(&c->sve, val))
		return NULL;
	if (!parse_number(val, &bits, &rest) || *rest || !bits || bits > 2048 || bits % 128)
		return expected_sve;
	c->sve = WISH_ON;
	c->sve_bits = bits;
	return NULL;
}

static const char *take_id(struct options *o, const char *name, const char *val)
{
	struct arch_config *c = &o->arch;
	const char *rest, *expected;
	u64 n;

	if (!strchr(name, '_'))
		return expected_keys;
	if (!parse_number(val, &n, &rest) || *rest)
		return "REG.FIELD=N or REG=N, N a number such as 2 or 0x12";
	if (c->nr_ids == MAX_ID_CHANGES)
		return "at most 32 fields of ID registers";
	expected = id_change_parse(name, n, &c->ids[c->nr_ids], o->why, sizeof(o->why));
	if (!expected)
		c->nr_ids++;
	return expected;
}

static const char *take_word(struct options *o, char *word)
{
	char *val = strchr(word, '=');

	if (!val)
		return expected_keys;
	*val++ = 0;
	if (!strcmp(word, "pmu"))
		return take_wish(&o->arch.pmu, val) ? NULL : "pmu=auto, on or off";
	if (!strcmp(word, "pauth"))
		return take_wish(&o->arch.pauth, val) ? NULL : "pauth=auto, on or off";
	if (!strcmp(word, "sve"))
		return take_sve(&o->arch, val);
	return take_id(o, word, val);
}

const char *cpu_option_take(struct options *o, char *val)
{
	const char *expected = keys_contradiction(val, o->why, sizeof(o->why));
	char *word;

	while (!expected && (word = strsep(&val, ",")))
		expected = take_word(o, word);
	return expected;
}

const char *sve_option_take(struct options *o, char *val)
{
	static const char expected[] = "a vector length in bits: 128 to 2048, a multiple of 128";

	return *val < '0' || *val > '9' || take_sve(&o->arch, val) ? expected : NULL;
}

bool cpu_check(const struct options *o)
{
	if (o->arch.e2h0 && !o->arch.el2)
		log_error("--e2h0: expected --nested too");
	else if (o->arch.el2 && !irqchip_serves_el2(o->irqchip))
		log_error("--nested: expected --irqchip gicv3-its or gicv3, not %s",
		          irqchip_name(o->irqchip));
	else
		return true;
	return false;
}
