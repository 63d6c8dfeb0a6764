/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text that grows; the first failed allocation is remembered and later calls do nothing.
 */
#ifndef MASKDM_TEXT_TEXT_H
#define MASKDM_TEXT_TEXT_H

#include "base/error.h"

#include <stddef.h>

struct mdm_text {
    char *data; /* NUL terminated once anything was added; mdm_text_free */
    size_t length, capacity;
    int failed;
};
void mdm_text_add(struct mdm_text *t, const char *s);
void mdm_text_add_n(struct mdm_text *t, const char *s, size_t n);
void mdm_text_addf(struct mdm_text *t, const char *format, ...) MDM_PRINTF(2, 3);
void mdm_text_add_json(struct mdm_text *t, const char *s); /* quoted and escaped; not UTF-8: U+FFFD */
/* For paths and names of files, which may be any bytes: quoted and escaped so that mdm_json_bytes() brings every
 * byte back. */
void mdm_text_add_json_bytes(struct mdm_text *t, const char *s);
void mdm_text_add_json_char(struct mdm_text *t, const char *s, int n); /* one UTF-8 character of n bytes */
/* The shortest that reads back equal, with "." in every locale; "null" when not finite. */
void mdm_text_add_double(struct mdm_text *t, double x);
void mdm_text_free(struct mdm_text *t);
int mdm_text_ok(const struct mdm_text *t); /* MASKDM_OK or a recorded MASKDM_ENOMEM */

#endif
