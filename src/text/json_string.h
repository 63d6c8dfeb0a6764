/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the JSON parser and its strings share. Private to src/text/json.c and json_string.c.
 */
#ifndef MASKDM_TEXT_JSON_STRING_H
#define MASKDM_TEXT_JSON_STRING_H

#include "text/json.h"

/* Of the byte at which the parser stands, from 1. */
size_t mdm_json_line(const struct mdm_json *j);
/* MASKDM_EFORMAT with the byte, or the line, at which the parser stands. */
int mdm_json_wrong(const struct mdm_json *j, const char *what);
/* Room for n bytes and the NUL in j->text. What was there is not kept. */
int mdm_json_reserve(struct mdm_json *j, size_t n);
/* The string whose opening quote is at j->at, into j->text; the parser moves behind it. */
int mdm_json_read_string(struct mdm_json *j);

#endif
