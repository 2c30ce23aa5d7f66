/* SPDX-License-Identifier: GPL-2.0-only */
/* Output to the first UART, by polling, and the memory functions that the compiler asks for. */
#include "guest.h"

#define LSR      5
#define LSR_THRE 0x20

void print_char(char c)
{
	while (!(read8(UART_BASE + LSR) & LSR_THRE))
		;
	write8(UART_BASE, c);
}

static void print_string(const char *s)
{
	while (*s)
		print_char(*s++);
}

static void print_number(u64 n, unsigned int base)
{
	char digits[24], *at = digits + sizeof(digits);

	*--at = 0;
	do
		*--at = "0123456789abcdef"[n % base];
	while (n /= base);
	print_string(at);
}

void print_args(const char *format, __builtin_va_list args)
{
	for (; *format; format++) {
		bool is_long = false;

		if (*format != '%') {
			print_char(*format);
			continue;
		}
		if (*++format == 'l') {
			is_long = true;
			format++;
		}
		if (*format == 's')
			print_string(__builtin_va_arg(args, const char *));
		else if (*format == 'c')
			print_char(__builtin_va_arg(args, int));
		else
			print_number(is_long ? __builtin_va_arg(args, u64)
			                     : __builtin_va_arg(args, u32),
			             *format == 'x' ? 16 : 10);
	}
}

void print(const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	print_args(format, args);
	__builtin_va_end(args);
}

void *memset(void *to, int byte, size_t len)
{
	for (u8 *at = to; len--;)
		*at++ = byte;
	return to;
}

void *memcpy(void *to, const void *from, size_t len)
{
	const u8 *src = from;

	for (u8 *at = to; len--;)
		*at++ = *src++;
	return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *p = a, *q = b;

	for (; len--; p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}
