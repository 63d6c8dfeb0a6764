/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a packed file (maskdm pack, doc/formats.md) has beside an array of images and one of labels: the images'
 * names, which are what the files that they come from were called, and the names of the labels.
 */
#ifndef MASKDM_DATA_PACKED_H
#define MASKDM_DATA_PACKED_H

#include "data/scan.h"
#include "tensorfile/tensorfile.h"

#define MDM_PACKED_NAMES "names"                    /* the tensor: bytes, a NUL behind each name */
#define MDM_PACKED_LABEL_NAMES "maskdm.label_names" /* metadata: a list in JSON */
#define MDM_PACKED_MARK "maskdm.pack"               /* metadata: the format's number, which it is a packed file by */
enum { MDM_PACKED_FORMAT = 1 };

struct mdm_packed_names {
    char *bytes; /* NULL: there are none */
    const char *next;
};

/* The names of `count` images, where the file is a packed one; each is what a name below a folder may be. */
int mdm_packed_names_read(struct mdm_packed_names *n, struct mdm_tensorfile *f, int64_t count);
const char *mdm_packed_names_next(struct mdm_packed_names *n); /* NULL: there are none */
void mdm_packed_names_free(struct mdm_packed_names *n);
/* The names of s's labels: the file's own, and numbers for what it does not name, of at least `count` labels. */
int mdm_packed_label_names(struct mdm_scan *s, const struct mdm_tensorfile *f, int64_t count);

#endif
