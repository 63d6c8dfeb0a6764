/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One header of a tar archive: ustar as POSIX has it, GNU's numbers and long names, pax records.
 */
#ifndef MASKDM_DATA_TAR_HEADER_H
#define MASKDM_DATA_TAR_HEADER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { MDM_TAR_BLOCK = 512, MDM_TAR_PREFIX = 155, MDM_TAR_NAME = 100 };

struct mdm_tar_header {
    char name[MDM_TAR_PREFIX + 1 + MDM_TAR_NAME + 1];
    uint64_t size; /* bytes behind the header */
    char type;     /* '0' for files, whatever the format writes for them */
};

/* Whether a block has the checksum of a header. */
int mdm_tar_is_header(const unsigned char *block);
/* Whether it is the one that ends an archive. */
int mdm_tar_is_zero(const unsigned char *block);
/* A block with the checksum of a header. */
int mdm_tar_read_header(struct mdm_tar_header *h, const unsigned char *block);

/* What pax records say of the entry behind them. */
struct mdm_tar_pax {
    const char *path; /* in the records; NULL: they do not say */
    size_t path_length;
    int has_size, sparse;
    uint64_t size;
};
int mdm_tar_read_pax(struct mdm_tar_pax *p, const char *records, size_t n);

#endif
