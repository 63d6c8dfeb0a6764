/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Formatting into room that is given, and where characters end.
 */
#ifndef MASKDM_BASE_FORMAT_H
#define MASKDM_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

#if defined(__GNUC__)
#  define MDM_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#  define MDM_PRINTF(f, a)
#endif

/* snprintf for layers that leave stdio alone: cut at `capacity`, always NUL terminated, with a decimal point whatever
 * the host's locale has. The second one answers as vsnprintf does: the bytes of the whole text, below 0 where there
 * is none; `capacity` may be 0. */
void mdm_format(char *out, size_t capacity, const char *format, ...) MDM_PRINTF(3, 4);
int mdm_format_list(char *out, size_t capacity, const char *format, va_list ap) MDM_PRINTF(3, 0);
/* Bytes of the UTF-8 character at s, n > 0 bytes left: 1 to 4, or 0 when it is not one. */
int mdm_utf8_length(const char *s, size_t n);

#endif
