/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The configurations, in YAML, of the program of masked diffusion's authors (github.com/jiachenlei/maskdm, both of
 * its versions), as options of training.
 */
#ifndef MASKDM_OPTION_AUTHORS_H
#define MASKDM_OPTION_AUTHORS_H

#include "base/log.h"
#include "option/option.h"

/* Set what such a document says and what their program does beside it; all of it, or nothing. `log` is told of each
 * entry that is not taken. MASKDM_ENOTFOUND, with the nearest, for an entry that their configurations do not have,
 * MASKDM_ENOTSUP for what cannot be done here and in a build without libyaml. */
int mdm_options_parse_authors(maskdm_options *o, const char *yaml, size_t bytes, const struct mdm_log *log);

/* ---- one entry ---- */

struct mdm_authors_entry {
    const char *path;      /* "network.patch_size" */
    const char *option;    /* that has its value, or NULL */
    const char *agrees;    /* values that say what is done here anyway, "|0|0.0"; or NULL */
    const char *otherwise; /* why another value is not taken */
    int refused;           /* another one would make something else of the training */
    int together;          /* its meaning hangs on others: authors_meaning.c */
};

/* The i-th, NULL past the last. */
const struct mdm_authors_entry *mdm_authors_entry_at(int i);

/* ---- what entries mean together ---- */

enum { MDM_AUTHORS_ENTRIES = 80 };

struct mdm_authors_config {
    char *text[MDM_AUTHORS_ENTRIES]; /* by the entry's place; NULL: it does not stand there */
    long line[MDM_AUTHORS_ENTRIES];
    maskdm_options *options;
    const struct mdm_log *log;
};

/* ---- authors_value.c ---- */
int mdm_authors_find(const char *path); /* its place; of one that there is */
const char *mdm_authors_text(const struct mdm_authors_config *c, const char *path); /* NULL where it does not stand */
/* Whether two texts are one word or one number. */
int mdm_authors_alike(const char *a, const char *b);
/* Give an option the value that an entry makes of itself; an error names the entry. */
int mdm_authors_put(struct mdm_authors_config *c, const char *path, const char *option, const char *value);
/* Say that an entry, where it stands, is not taken; the second form fails with it. */
void mdm_authors_leave(const struct mdm_authors_config *c, const char *path, const char *why);
int mdm_authors_refuse(const struct mdm_authors_config *c, int status, const char *path, const char *why);

/* ---- authors_meaning.c ---- */
/* Entries whose meaning hangs on one another, as options. */
int mdm_authors_take_together(struct mdm_authors_config *c);

#endif
