/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a file is that was given as something else: people hand over what a download, a clone or another program left.
 */
#ifndef MASKDM_TENSORFILE_FOREIGN_H
#define MASKDM_TENSORFILE_FOREIGN_H

#include <stddef.h>

struct mdm_tensorfile;

enum { MDM_FOREIGN_HEAD = 512 }; /* first bytes of a file that are looked at */

struct mdm_foreign {
    const char *what;   /* "a Git LFS pointer" */
    const char *advice; /* for who wanted weights; NULL: none */
    int is_text;        /* and nothing more is known */
};

/* NULL: no kind that is known. */
const struct mdm_foreign *mdm_foreign_find(const void *bytes, size_t n);
/* A zip archive whose first entry is an array. */
int mdm_foreign_is_npz(const void *bytes, size_t n);

/* MASKDM_EFORMAT, naming what s is, when it is empty or of a kind that people take for a tensor file. For bytes that
 * begin no tensor file. */
int mdm_foreign_refuse(struct mdm_tensorfile *s);

#endif
