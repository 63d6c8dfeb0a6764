/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the JSON parser and its strings share. Private to src/util/json.c and json_string.c.
 */
#ifndef MASKDM_UTIL_JSON_STRING_H
#define MASKDM_UTIL_JSON_STRING_H

#include "util/json.h"

/* MASKDM_EFORMAT with the byte at which the parser stands. */
int maskdm_json_wrong(const struct maskdm_json *j, const char *what);
/* Room for n bytes and the NUL in j->text. What was there is not kept. */
int maskdm_json_reserve(struct maskdm_json *j, size_t n);
/* The string whose opening quote is at j->at, into j->text; the parser moves behind it. */
int maskdm_json_read_string(struct maskdm_json *j);

#endif
