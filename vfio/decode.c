// SPDX-License-Identifier: GPL-2.0-only
/* A call of iommufd or vfio as text, out of the tables of fields.c. */
#include "vfio/decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_WORDS 16 /* of an array; the rest is dots */

struct line {
	char *text;
	size_t at; /* never beyond the last byte */
};

__attribute__((format(printf, 2, 3))) static void add(struct line *l, const char *fmt, ...)
{
	const size_t room = DECODE_SIZE - l->at;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(l->text + l->at, room, fmt, args);
	va_end(args);
	l->at += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static u64 load(const u8 *from, unsigned int size)
{
	u64 v = 0;

	memcpy(&v, from, size); /* both architectures are little-endian */
	return v;
}

static const char *name_of(const struct decode_names *names, u64 val)
{
	for (unsigned int i = 0; i < names->nr; i++)
		if (names->rows[i].val == val)
			return names->rows[i].name;
	return NULL;
}

static void add_enum(struct line *l, const struct decode_names *names, u64 val)
{
	const char *name = name_of(names, val);

	if (name)
		add(l, "%s", name);
	else
		add(l, "%#llx", (unsigned long long)val);
}

static void add_flags(struct line *l, const struct decode_names *names, u64 val)
{
	const char *bar = "";

	if (names->mask) {
		add_enum(l, names, val & names->mask);
		val &= ~names->mask;
		bar = "|";
	}
	for (u64 bit; val; val &= ~bit, bar = "|") {
		const char *name = name_of(names, FIELD_LOW(val));

		bit = name ? FIELD_LOW(val) : val;
		if (name)
			add(l, "%s%s", bar, name);
		else
			add(l, "%s%#llx", bar, (unsigned long long)val);
	}
	if (!*bar)
		add(l, "0");
}

static void add_words(struct line *l, const struct decode_field *f, const u8 *words, u64 bytes)
{
	const u64 nr = words ? bytes / f->word : 0;

	add(l, "[");
	for (u64 i = 0; i < nr && i < MAX_WORDS; i++) {
		const u64 val = load(words + i * f->word, f->word);

		add(l, "%s", i ? ", " : "");
		if (f->kind == DECODE_FDS)
			add(l, "%d", (int)val);
		else
			add(l, "%#llx", (unsigned long long)val);
	}
	add(l, "%s]", nr > MAX_WORDS ? ", ..." : "");
}

/* How many bytes of words there are: what was given, or what the caller had room for and the kernel
 * did not say to be fewer. */
static u64 words_len(const struct decode_field *f, const u8 *before, const u8 *from)
{
	const u64 has = load(from + f->count, 4) * f->unit;
	u64 room = load(before + f->count, 4) * f->unit;

	if (f->kind != DECODE_THERE) { /* argsz is the first of such a struct */
		room = load(before, 4);
		room = room > f->offset ? room - f->offset : 0;
	}
	return f->count && has < room ? has : room;
}

static void add_field(struct line *l, const struct decode_field *f, const u8 *before, const u8 *arg,
                      const u8 *from)
{
	const u64 val = f->kind < DECODE_THERE ? load(from + f->offset, f->size) : 0;

	add(l, "%s=", f->name);
	switch (f->kind) {
	case DECODE_NUMBER:
		add(l, "%lld", f->size == 4 ? (long long)(int32_t)val : (long long)val);
		break;
	case DECODE_HEX: add(l, val ? "%#llx" : "0", (unsigned long long)val); break;
	case DECODE_FLAGS: add_flags(l, f->names, val); break;
	case DECODE_ENUM: add_enum(l, f->names, val); break;
	case DECODE_THERE:
		add_words(l, f, (const u8 *)(uintptr_t)load(before + f->offset, 8),
		          words_len(f, before, from));
		break;
	case DECODE_BEHIND:
	case DECODE_FDS: add_words(l, f, arg + f->offset, words_len(f, before, from)); break;
	}
}

static bool shown_out(const struct decode_field *f, const u8 *before, const u8 *arg, bool ok)
{
	if (!f->out || ok)
		return f->out;
	return f->kind < DECODE_THERE && memcmp(before + f->offset, arg + f->offset, f->size);
}

static void add_struct(struct line *l, const struct decode_field *f, const u8 *before,
                       const u8 *arg, bool ok)
{
	const char *open = "{", *close = "";

	for (const struct decode_field *i = f; i->name; i++) {
		if (!i->in)
			continue;
		add(l, "%s", open);
		add_field(l, i, before, arg, before);
		open = ", ";
	}
	add(l, *open == '{' ? "{}" : "}");
	open = " => {";
	for (const struct decode_field *i = f; i->name; i++) {
		if (!shown_out(i, before, arg, ok))
			continue;
		add(l, "%s", open);
		add_field(l, i, before, arg, arg);
		open = ", ";
		close = "}";
	}
	add(l, "%s", close);
}

void decode_call(char text[DECODE_SIZE], int fd, unsigned long request, const void *before,
                 const void *arg, bool ok)
{
	const struct decode_request *r = decode_find(request);
	struct line l = { .text = text };

	if (r)
		add(&l, "ioctl(%d, %s", fd, r->name);
	else
		add(&l, "ioctl(%d, %#lx", fd, request);
	if (r && r->fields) {
		add(&l, ", ");
		add_struct(&l, r->fields, before, arg, ok);
	}
	add(&l, ")");
}
