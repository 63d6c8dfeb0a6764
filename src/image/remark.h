/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What was odd about an image file that was read nevertheless, or was done to it: counted by kind, so that a folder
 * of a million images can say it in one line a kind.
 */
#ifndef MASKDM_IMAGE_REMARK_H
#define MASKDM_IMAGE_REMARK_H

#include <stddef.h>
#include <stdint.h>

enum mdm_remark {
    MDM_REMARK_STRAY,      /* number: bytes */
    MDM_REMARK_JFIF,       /* number: major version */
    MDM_REMARK_ADOBE,      /* number: colour transform */
    MDM_REMARK_SCAN,       /* number: scans */
    MDM_REMARK_NO_END,     /* no number */
    MDM_REMARK_TRAILER,    /* number: bytes */
    MDM_REMARK_CHECKSUM,   /* number: chunks */
    MDM_REMARK_STREAM,     /* no number */
    MDM_REMARK_OPAQUE,     /* no number */
    MDM_REMARK_TURNED,     /* number: EXIF orientation */
    MDM_REMARK_NOT_TURNED, /* number: EXIF orientation */
    MDM_REMARK_COMPOSED,   /* no number */
    MDM_REMARKS
};

struct mdm_remarks {
    int64_t times[MDM_REMARKS]; /* 0: not this kind */
    int64_t number[MDM_REMARKS];
};

/* Numbers of bytes, scans and chunks add up; of others the last stays. */
void mdm_remark_add(struct mdm_remarks *r, enum mdm_remark kind, int64_t number);
/* A few words, "5 stray bytes before a marker", without a full stop. */
void mdm_remark_text(char *out, size_t capacity, enum mdm_remark kind, int64_t number);
/* Is it a fault of the file, rather than something that files are meant to say? */
int mdm_remark_is_fault(enum mdm_remark kind);
/* All of them with commas between; "" where there are none. */
void mdm_remarks_text(char *out, size_t capacity, const struct mdm_remarks *r);

#endif
