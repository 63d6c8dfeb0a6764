/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A strict JSON pull parser without a tree, and a writer into a growing string.
 *
 * The parser takes RFC 8259 with: fixed depth limit, UTF-8 checked, no lone surrogates, no NUL in strings, no
 * control characters, numbers by the grammar. It never allocates beyond the longest string and never depends
 * on the locale.
 */
#ifndef MASKDM_TEXT_JSON_H
#define MASKDM_TEXT_JSON_H

#include "base/error.h"

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
    int comments; /* set behind mdm_json_open() for what people write: comments as C has them are blanks */
    char *text; /* of the last KEY, STRING or NUMBER: decoded, NUL terminated, valid until the next event */
    size_t length, capacity;
};

void mdm_json_open(struct mdm_json *j, const char *bytes, size_t n);
void mdm_json_close(struct mdm_json *j);
/* The next event (>= 0), or MASKDM_EFORMAT with the byte offset (with `comments` the line) in the error line, or
 * MASKDM_ENOMEM. */
int mdm_json_next(struct mdm_json *j);
int mdm_json_expect(struct mdm_json *j, enum mdm_json_event event); /* EFORMAT when another comes */
int mdm_json_skip(struct mdm_json *j, int event);                   /* skip the value that began with `event` */
/* Turn the text of a STRING that mdm_text_add_json_bytes() wrote into the bytes that it stands for. */
void mdm_json_bytes(struct mdm_json *j);
/* The text of a NUMBER as a non-negative integer ([0-9]+ only, at most INT64_MAX), or as a finite double by our
 * own correctly rounded, locale-independent conversion. MASKDM_EFORMAT when it is not one. */
int mdm_json_u63(const struct mdm_json *j, int64_t *out);
int mdm_json_double(const struct mdm_json *j, double *out);

#endif
