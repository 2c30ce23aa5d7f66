// SPDX-License-Identifier: GPL-2.0-only
/* The mailbox's registers in a function's config space (docs/vpri.md, 3): what the guest may write,
 * and what follows. */
#include <endian.h>
#include <string.h>

#include "fault/mailbox_private.h"

static u16 get16(const u8 *from, unsigned int at)
{
	return from[at] | from[at + 1] << 8;
}

static void put16(u8 *to, unsigned int at, u16 val)
{
	val = htole16(val);
	memcpy(&to[at], &val, sizeof(val));
}

static void put32(u8 *to, unsigned int at, u32 val)
{
	val = htole32(val);
	memcpy(&to[at], &val, sizeof(val));
}

u32 mailbox_get32(const struct mailbox *m, unsigned int at)
{
	return get16(m->f.config, at) | (u32)get16(m->f.config, at + 2) << 16;
}

u16 mailbox_control(const struct mailbox *m)
{
	return get16(m->f.config, MB_CONTROL);
}

void mailbox_set_status(struct mailbox *m, u16 bits)
{
	put16(m->f.config, MB_STATUS, get16(m->f.config, MB_STATUS) | bits);
}

void mailbox_show_next(struct mailbox *m)
{
	const u64 n = m->entries ? m->entries : 1;
	const bool phase = !(m->written / n % 2);

	put32(m->f.config, MB_NEXT, m->written % n | (m->enabled && phase ? MB_NEXT_PHASE : 0));
}

/* While it is enabled its ring stays where it is. */
static void allow_ring(struct mailbox *m, bool allow)
{
	put32(m->f.writable, MB_RING, allow ? MB_RING_ADDRESS | MB_LOG2 : 0);
	put32(m->f.writable, MB_RING_HIGH, allow ? ~0u : 0);
}

void mailbox_unlock(struct mailbox *m)
{
	put16(m->f.config, MB_CONTROL, mailbox_control(m) & ~MB_ENABLE);
	allow_ring(m, true);
}

static void enable(struct mailbox *m)
{
	const u32 low = mailbox_get32(m, MB_RING);
	const u64 ring = (u64)mailbox_get32(m, MB_RING_HIGH) << 32 | (low & MB_RING_ADDRESS);
	const unsigned int log2 = FIELD_GET(MB_LOG2, low);

	if (log2 > MB_MAX_LOG2) {
		mailbox_unlock(m);
		return;
	}
	put16(m->f.config, MB_STATUS, 0);
	allow_ring(m, false);
	mailbox_enable(m, ring, log2);
}

/* What came while there were no messages is told of as they begin. */
static void control_written(struct mailbox *m, u16 was)
{
	const u16 control = mailbox_control(m);

	if (control & MB_ENABLE && !m->enabled)
		enable(m);
	else if (!(control & MB_ENABLE) && m->enabled)
		mailbox_disable(m, DMA_PAGE_INVALID);
	if (control & ~was & MB_MESSAGES && m->enabled && m->written != m->read)
		mailbox_message(m);
}

static bool touches(unsigned int offset, unsigned int size, unsigned int at, unsigned int len)
{
	return offset < at + len && offset + size > at;
}

void mailbox_written(struct mailbox *m, unsigned int offset, unsigned int size)
{
	const u32 response = mailbox_get32(m, MB_RESPONSE);

	if (touches(offset, size, MB_CONTROL, sizeof(u16))) {
		const u16 was = m->control;

		m->control = mailbox_control(m);
		control_written(m, was);
	}
	if (!touches(offset, size, MB_RESPONSE, sizeof(u32)))
		return;
	put32(m->f.config, MB_RESPONSE, 0);
	if (size == sizeof(u32))
		mailbox_respond(m, response);
}

void mailbox_init(struct mailbox *m, const struct mailbox_function *f)
{
	*m = (struct mailbox){ .f = *f, .answers.device = f->device };
	fault_port_init(&m->port, &m->answers, &m->patience);
	put16(f->config, MB_CAP, MB_MAX_LOG2);
	put16(f->writable, MB_CONTROL, MB_ENABLE | MB_MESSAGES);
	put16(f->clears, MB_STATUS, MB_FAILED | MB_FULL);
	put32(f->writable, MB_ADDR, ~3u);
	put32(f->writable, MB_ADDR_HIGH, ~0u);
	put32(f->writable, MB_DATA, ~0u);
	put32(f->writable, MB_RESPONSE, ~0u);
	allow_ring(m, true);
	mailbox_time_init(m);
}
