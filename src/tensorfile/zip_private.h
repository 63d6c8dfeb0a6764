/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the two halves of the zip reader share: the end records and the headers of entries.
 */
#ifndef MASKDM_TENSORFILE_ZIP_PRIVATE_H
#define MASKDM_TENSORFILE_ZIP_PRIVATE_H

#include "tensorfile/zip.h"

enum {
    MDM_ZIP_BLOCK = 512, /* bytes that are read at a time: an entry's header and what is near it */
    MDM_ZIP_ENTRIES = 131072,
    MDM_ZIP_DIRECTORY = 64 << 20, /* bytes */
    MDM_ZIP_MANY = 64,            /* times as many of both in an archive of anything */
    MDM_ZIP_NAME = 1024           /* bytes */
};

/* Where the central directory is, from the records that end the archive. */
struct mdm_zip_end {
    uint64_t count, size, at, stop;
};
int mdm_zip_read_end(struct mdm_tensorfile *s, struct mdm_zip_end *e, enum mdm_zip_kind kind);

/* One walk over the central directory. */
struct mdm_zip_walk {
    struct mdm_tensorfile *s;
    const unsigned char *directory;
    size_t size, at;     /* bytes of it, and those behind us */
    char *name;          /* where the next name goes: names are shorter than the headers that hold them */
    uint64_t next, stop; /* where the next entry must begin in the file; where the last must end */
    unsigned char block[MDM_ZIP_BLOCK];
    uint64_t block_at;
    size_t block_size;
    enum mdm_zip_kind kind;
};
/* The entry at w->at, held against its own header. */
int mdm_zip_read_entry(struct mdm_zip_walk *w, struct mdm_zip_entry *e);

#endif
