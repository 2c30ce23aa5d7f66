// SPDX-License-Identifier: GPL-2.0-only
/* Where one QMP message ends and the next begins (RFC 8259; qmp-spec.rst, "Forcing the JSON parser
 * into known-good state"). */
#include "control/framing.h"

#include <string.h>

static bool ended(struct framing *f)
{
	*f = (struct framing){ 0 };
	return true;
}

static bool in_string(struct framing *f, u8 byte)
{
	if (f->escaped)
		f->escaped = false;
	else if (byte == '\\')
		f->escaped = true;
	else if (byte == '"')
		f->in_string = false;
	return false;
}

/* What no value begins with lasts to the end of its line. */
static bool outside(struct framing *f, u8 byte)
{
	bool newline = byte == '\n';

	if (f->garbage)
		return newline && ended(f);
	if (strchr(" \t\r\n", byte) && byte)
		return false;
	f->nonempty = true;
	if (byte == '{' || byte == '[')
		f->depth = 1;
	else
		f->garbage = true;
	return false;
}

bool framing_byte(struct framing *f, u8 byte)
{
	/* Bytes that no JSON text has end it, so that a client can always start afresh. */
	if (byte == 0xff || (byte < ' ' && !strchr("\t\r\n", byte)) || !byte)
		return f->nonempty && ended(f);
	if (f->in_string)
		return in_string(f, byte);
	if (!f->depth)
		return outside(f, byte);
	if (byte == '"')
		f->in_string = true;
	else if (byte == '{' || byte == '[')
		f->depth++;
	else if (byte == '}' || byte == ']')
		return !--f->depth && ended(f);
	return false;
}
