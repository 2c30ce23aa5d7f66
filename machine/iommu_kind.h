/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MACHINE_IOMMU_KIND_H
#define MACHINE_IOMMU_KIND_H

#include "machine/keys.h"
#include "machine/options.h"

/* The kinds of IOMMU that --iommu knows: iommu.c has what they have in common. */
struct dma_space;
struct machine;

/* An --iommu while it is read: what keys store into; words are as they were given, or NULL. */
struct iommu_parsed {
	struct iommu_option option;
	struct iommu_words {
		const char *type, *msi, *host_msi, *bypass, *transport, *input, *domains, *reserved;
		const char *experimental, *interrupts, *field, *buses;
		const char *accel, *host;
	} words;
	char *why; /* room for a text of so many bytes */
	size_t why_len;
};

#define IOMMU_NUMBER(name, field, min, max)                                              \
	{                                                                                \
		name, KEY_NUMBER, offsetof(struct iommu_parsed, option.field), min, max, \
	}
#define IOMMU_WORD(name, word)                                                   \
	{                                                                        \
		name, KEY_TEXT, offsetof(struct iommu_parsed, words.word), 0, 0, \
	}

/* buses=, of all kinds. NULL, or what was expected. */
const char *iommu_buses_take(struct iommu_parsed *p);

/* What NULL is returned for is well; a text is what was expected. */
struct iommu_kind {
	const char *type; /* as type= says it */
	const struct key *keys;
	size_t nr_keys;
	bool has_place; /* it is a device among others, on a bus or in a slot */
	void (*init)(struct iommu_option *o); /* what is not said */
	/* Keys beside these, with a dot in them: a register's field. May be NULL. */
	const char *(*take_field)(struct iommu_option *o, const char *name, const char *val);
	/* All keys are there: what the words mean. */
	const char *(*finish)(struct iommu_parsed *p);
	/* All options are there. False: a line was printed. May be NULL. */
	bool (*check)(const struct options *o, struct iommu_option *i);
	/* m->iommus[i], and it is in the platform. 0 or -errno. */
	int (*create)(struct machine *m, unsigned int i);
	int (*add_endpoint)(void *iommu, void **endpoint);
	struct dma_space *(*endpoint_dma)(void *endpoint);
	void (*identify)(void *endpoint, u32 (*id)(const void *ctx), const void *ctx);
	/* How long the guest has to answer what the endpoint stalls or asks for; ms. */
	void (*set_patience)(struct machine *m, void *endpoint, u64 ms);
	/* Whether faults behind it may stall; NULL: never. */
	bool (*stalls)(const struct iommu_option *o);
	/* Whether it answers translation requests (ATS); NULL: never. */
	bool (*translates)(const struct iommu_option *o);
	/* Whether it takes page requests (PRI); NULL: a host bridge does not pass them on. */
	bool (*takes_pages)(const struct iommu_option *o);
	/* Of how many bits PASIDs are that it knows; NULL: a host bridge passes none on. */
	unsigned int (*pasid_bits)(const struct iommu_option *o);
	/* Whether functions behind it are told of --msi-window as addresses that their DMA finds at
	 * themselves, whatever is mapped; NULL: never. */
	bool (*tells_msi_window)(const struct options *o, const struct iommu_option *i);
	/* How many bits an endpoint's ID may have. */
	unsigned int (*id_bits)(const struct iommu_option *o);
};

extern const struct iommu_kind iommu_virtio, iommu_smmuv3;

#endif
