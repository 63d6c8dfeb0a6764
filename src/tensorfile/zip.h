/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The index of a zip archive as torch.save and numpy.savez write it: nothing between, before or behind its entries,
 * every one stored or, where that is allowed, deflated. The central directory and the entries' own headers must say
 * the same. doc/formats.md has the rules.
 */
#ifndef MASKDM_TENSORFILE_ZIP_H
#define MASKDM_TENSORFILE_ZIP_H

#include "tensorfile/tensorfile_private.h"

struct mdm_zip_entry {
    const char *name;
    uint64_t at, size; /* where its bytes begin in the file, and how many it has */
    uint64_t packed;   /* how many lie there: `size`, unless it is deflated */
    int deflated, folder; /* a folder: its name is without the slash behind it */
    uint32_t crc;      /* 0: not stated */
    int checked;       /* its bytes came along with its header, and have the checksum */
};

struct mdm_zip {
    struct mdm_zip_entry *entry; /* in the order of their bytes */
    int64_t count;
    int64_t *by_name;
    char *names;
};

/* What an archive may hold: entries that are stored, as torch.save writes them; deflated ones too, as numpy.savez; or
 * whatever people pack, folders among it, and many more of it. */
enum mdm_zip_kind { MDM_ZIP_STORED, MDM_ZIP_DEFLATED, MDM_ZIP_ANY };

/* From the bytes of s, which has its s->crc. A failure leaves nothing to free. */
int mdm_zip_open(struct mdm_zip *z, struct mdm_tensorfile *s, enum mdm_zip_kind kind);
void mdm_zip_close(struct mdm_zip *z);
const struct mdm_zip_entry *mdm_zip_find(const struct mdm_zip *z, const char *name); /* NULL: none */
/* Whether the entry's bytes have the checksum that the archive states for it. */
int mdm_zip_check(const struct mdm_zip_entry *e, const struct mdm_tensorfile *s, const void *bytes);

#endif
