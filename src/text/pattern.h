/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names by patterns: '*' is any run of characters, '?' one. Lists of them are separated by commas.
 */
#ifndef MASKDM_TEXT_PATTERN_H
#define MASKDM_TEXT_PATTERN_H

#include <stddef.h>

int mdm_pattern_matches(const char *pattern, size_t length, const char *name);
/* The next pattern of a list, without the blanks around it, from *at on, which moves behind it; its length goes to
 * *length. NULL: there is none. */
const char *mdm_pattern_next(const char **at, size_t *length);

#endif
