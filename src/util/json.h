/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A strict JSON pull parser without a tree, and a writer into a growing string.
 *
 * The parser takes RFC 8259 with: fixed depth limit, UTF-8 checked, no lone surrogates, no NUL in strings, no
 * control characters, numbers by the grammar. It never allocates beyond the longest string and never depends
 * on the locale.
 */
#ifndef MASKDM_UTIL_JSON_H
#define MASKDM_UTIL_JSON_H

#include "util/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

enum { MDM_JSON_DEPTH = 8 };

enum mdm_json_event {
    MDM_JSON_END,    /* the document is complete; only spaces follow */
    MDM_JSON_OBJECT, /* { */
    MDM_JSON_OBJECT_END,
    MDM_JSON_ARRAY, /* [ */
    MDM_JSON_ARRAY_END,
    MDM_JSON_KEY, /* text holds the name */
    MDM_JSON_STRING,
    MDM_JSON_NUMBER, /* text holds the digits as written */
    MDM_JSON_TRUE,
    MDM_JSON_FALSE,
    MDM_JSON_NULL
};

struct mdm_json {
    const char *at, *end, *start;
    int depth;
    unsigned char stack[MDM_JSON_DEPTH]; /* '{' or '[' */
    int state;
    char *text; /* of the last KEY, STRING or NUMBER: decoded, NUL terminated, valid until the next event */
    size_t length, capacity;
};

void mdm_json_open(struct mdm_json *j, const char *bytes, size_t n);
void mdm_json_close(struct mdm_json *j);
/* The next event (>= 0), or MASKDM_EFORMAT with the byte offset in the error line, or MASKDM_ENOMEM. */
int mdm_json_next(struct mdm_json *j);
int mdm_json_expect(struct mdm_json *j, enum mdm_json_event event); /* EFORMAT when another comes */
int mdm_json_skip(struct mdm_json *j, int event);                   /* skip the value that began with `event` */
/* Turn the text of a STRING that mdm_text_add_json_bytes() wrote into the bytes that it stands for. */
void mdm_json_bytes(struct mdm_json *j);
/* The text of a NUMBER as a non-negative integer ([0-9]+ only, at most INT64_MAX), or as a finite double by our
 * own correctly rounded, locale-independent conversion. MASKDM_EFORMAT when it is not one. */
int mdm_json_u63(const struct mdm_json *j, int64_t *out);
int mdm_json_double(const struct mdm_json *j, double *out);

/* ---- text that grows; the first failed allocation is remembered and later calls do nothing ---- */
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

/* snprintf for layers that leave stdio alone: cut at `capacity`, always NUL terminated. */
void mdm_format(char *out, size_t capacity, const char *format, ...) MDM_PRINTF(3, 4);
void mdm_format_list(char *out, size_t capacity, const char *format, va_list ap) MDM_PRINTF(3, 0);

/* Locale-independent reading of a whole string, "-12" or "+1.5e-3": 0, or -1 when it is not a decimal number
 * or does not fit; *out is then unchanged. Doubles are correctly rounded (ties to even) and finite. */
int mdm_parse_i64(const char *s, int64_t *out);
int mdm_parse_double(const char *s, double *out);
/* Bytes of the UTF-8 character at s, n > 0 bytes left: 1 to 4, or 0 when it is not one. */
int mdm_utf8_length(const char *s, size_t n);

#endif
