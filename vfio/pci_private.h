/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VFIO_PCI_PRIVATE_H
#define VFIO_PCI_PRIVATE_H

#include <linux/pci_regs.h>

#include "devices/pci/pci.h"
#include "fault/bridge.h"
#include "fault/mailbox.h"
#include "vfio/pci.h"
#include "vmm/iommu.h"
#include "vmm/irq.h"
#include "vmm/vm.h"

/* What an assigned function's files share: pci.c, pci_config.c, pci_bar.c,
 * pci_ats.c, pci_pages.c, pci_peer.c, pci_irq.c. */
#define VFIO_MAX_PIECES 4

/* A part of a region that the guest reaches without an exit: whole pages. */
struct vfio_piece {
	u64 at, len; /* bytes, from the region's base */
	void *host;
	int slot;        /* of KVM's; -1: it is nowhere now */
	bool peers_have; /* other functions reach it, at @peers_at */
	u64 peers_at;
};

struct vfio_region {
	struct vfio_pci *pci;
	unsigned int bar;
	u64 offset, size; /* in the file, bytes; 0: there is none */
	struct vfio_piece pieces[VFIO_MAX_PIECES];
	unsigned int nr_pieces;
};

/* An eventfd that the loop reads for us. */
struct vfio_event {
	struct vfio_pci *pci;
	int fd; /* -1: none yet */
	u64 count;
	struct loop_op op;
};

/* An MSI or MSI-X vector: what VFIO signals. */
struct vfio_vector {
	struct vfio_event late; /* for what cannot go to the guest by itself */
	int fd;                 /* that VFIO has: the vector's route's, or late's; -1: none */
};

/* What raises interrupts now. */
enum vfio_mode { VFIO_MODE_NONE, VFIO_MODE_INTX, VFIO_MODE_MSI, VFIO_MODE_MSIX };

/* The function's own page requests, which its faults on the host become. */
struct vfio_pages {
	struct fault_bridge *bridge; /* its stream's; NULL: faults are nothing of the function's */
	unsigned int at;             /* the mailbox's capability; 0: there is none */
	struct mailbox mailbox;
	struct dma_device answers;
	struct fault_asker asker;
	struct vfio_page_request {
		bool used, last;
		u32 pasid;
		u16 group;
	} sent[FAULT_MAX_WAITING]; /* as many as there can be credits */
};

struct vfio_pci {
	struct pci_func func;
	struct vfio_pci *next; /* of its context */
	struct vfio_device *dev;
	struct vm *vm;
	struct iommu_assigned assigned;
	struct vsmmu_stream *stream; /* NULL: there is none any more */
	bool has_stream; /* it has had one; else it follows an address space, or is behind nothing
	                  */
	const char *at;
	u64 config, config_size;      /* offset in the file, bytes */
	u8 space[4][PCI_CONFIG_SIZE]; /* func.config and its masks */
	u8 ours[PCI_CONFIG_SIZE];     /* a mask a byte: what the guest sees is func.config's */
	u16 command;                  /* as the function has it */
	u8 caps[PCI_CAP_ID_MAX + 1];  /* where each is; 0: there is none */
	struct vfio_region regions[PCI_ROM_BAR + 1];
	enum vfio_mode mode;
	bool lacks_irqs;          /* which was said */
	bool has_level;           /* its level is open */
	bool has_pin, fixed_size; /* it has INTx; all MSI-X vectors at once, or none */
	struct irq_level level;   /* INTx */
	struct vfio_event resample, error, request;
	struct vfio_vector *vectors; /* of MSI-X, or at least 32 */
	unsigned int nr_vectors;     /* of MSI-X */
	unsigned int nr_events;      /* of both */
	unsigned int nr_msis;        /* that are enabled */
	unsigned int nr_set; /* vectors that VFIO may be given an eventfd for, as it is now */
	struct work reset, leave;
	int leaving; /* its descriptor, which is being closed */
	bool resetting, can_reset;
	bool shows_ats;
	unsigned int pasid_bits; /* 0: it shows none */
	u16 pasid_cap;           /* what else PASIDs can */
	struct vfio_pages pages;
	bool lost; /* the host has it again, or it is broken: it is in no slot of the guest's */
};

static inline struct vfio_pci *vfio_pci_of(struct pci_func *f)
{
	return container_of(f, struct vfio_pci, func);
}

static inline struct uapi *vfio_uapi_of(const struct vfio_pci *p)
{
	return &p->dev->context->uapi;
}

/* pci.c: the guest has it no longer, which one line says, with @why. */
void vfio_pci_leave(struct vfio_pci *p, const char *why);

/* pci_config.c: reads what there is, and says of each byte whose it is; capabilities. 0, -errno. */
int vfio_config_read(struct vfio_pci *p);
int vfio_config_init(struct vfio_pci *p);
/* The function's command register, and what wakes it up, are as the guest has them. 0, -errno. */
int vfio_config_sync(struct vfio_pci *p);
void vfio_config_stop(struct vfio_pci *p);
void vfio_config_after_reset(struct vfio_pci *p);
/* Of these bytes all is ours, as it is in func.config; the guest can change nothing there yet. */
void vfio_config_keep(struct vfio_pci *p, unsigned int at, unsigned int len);

/* pci_ats.c. What can be shown, before config space is looked at: 0, -errno. */
int vfio_ats_read(struct vfio_pci *p, const struct vfio_pci_config *c);
/* The ATS capability at @at is a shadow. */
void vfio_ats_take(struct vfio_pci *p, unsigned int at);
/* A PASID capability behind the last extended one, which is at @last; 0: there is none. */
void vfio_pasid_init(struct vfio_pci *p, unsigned int last);

/* pci_pages.c. Page requests and their mailbox, behind the last extended capability *@last (0:
 * there is none), which they are then: 0, or -ENOSPC. */
int vfio_pages_init(struct vfio_pci *p, unsigned int *last);
void vfio_pages_written(struct vfio_pci *p, unsigned int offset, unsigned int size);
/* Its stream has ended what was outstanding. */
void vfio_pages_reset(struct vfio_pci *p);

/* pci_bar.c */
int vfio_bars_init(struct vfio_pci *p);
void vfio_bars_destroy(struct vfio_pci *p);

/* pci_peer.c: other functions of the host's reach the piece where the guest has it, the region
 * being at @at; and no longer, from before the function does not decode it any more. */
void vfio_peer_add(struct vfio_region *r, struct vfio_piece *piece, gpa_t at);
void vfio_peer_remove(struct vfio_region *r, struct vfio_piece *piece);
/* What others reach of any function is there again, after a reset of several. */
void vfio_peers_renew(struct vfio_context *c);

/* pci_irq.c. update: what raises interrupts follows the guest's controls. */
int vfio_irqs_init(struct vfio_pci *p);
void vfio_irqs_update(struct vfio_pci *p);
void vfio_irqs_off(struct vfio_pci *p);
/* After that, where the function has left: who shares its line is not disturbed. */
void vfio_irqs_leave(struct vfio_pci *p);
void vfio_irqs_destroy(struct vfio_pci *p);

#endif
