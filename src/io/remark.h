/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What was odd about an image file that was read nevertheless, or was done to it: counted by kind, so that a folder
 * of a million images can say it in one line a kind.
 */
#ifndef MASKDM_IO_REMARK_H
#define MASKDM_IO_REMARK_H

#include <stddef.h>
#include <stdint.h>

enum maskdm_remark {
    MASKDM_REMARK_STRAY,      /* number: bytes */
    MASKDM_REMARK_JFIF,       /* number: major version */
    MASKDM_REMARK_ADOBE,      /* number: colour transform */
    MASKDM_REMARK_SCAN,       /* number: scans */
    MASKDM_REMARK_NO_END,     /* no number */
    MASKDM_REMARK_TRAILER,    /* number: bytes */
    MASKDM_REMARK_CHECKSUM,   /* number: chunks */
    MASKDM_REMARK_STREAM,     /* no number */
    MASKDM_REMARK_OPAQUE,     /* no number */
    MASKDM_REMARK_TURNED,     /* number: EXIF orientation */
    MASKDM_REMARK_NOT_TURNED, /* number: EXIF orientation */
    MASKDM_REMARKS
};

struct maskdm_remarks {
    int64_t times[MASKDM_REMARKS]; /* 0: not this kind */
    int64_t number[MASKDM_REMARKS];
};

/* Numbers of bytes, scans and chunks add up; of others the last stays. */
void maskdm_remark_add(struct maskdm_remarks *r, enum maskdm_remark kind, int64_t number);
/* A few words, "5 stray bytes before a marker", without a full stop. */
void maskdm_remark_text(char *out, size_t capacity, enum maskdm_remark kind, int64_t number);
/* Is it a fault of the file, rather than something that files are meant to say? */
int maskdm_remark_is_fault(enum maskdm_remark kind);
/* All of them with commas between; "" where there are none. */
void maskdm_remarks_text(char *out, size_t capacity, const struct maskdm_remarks *r);

#endif
