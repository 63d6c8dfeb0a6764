/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which of libjpeg's warnings leave a picture whole.
 */
#ifndef MASKDM_IMAGE_JPEG_WARNING_H
#define MASKDM_IMAGE_JPEG_WARNING_H

#include "image/remark.h"

/* Where the decoder stands when the warning comes. */
struct mdm_jpeg_place {
    int scans;                  /* scans begun */
    int ended;                  /* the file has ended */
    const unsigned char *stray; /* JWRN_EXTRANEOUS_DATA: the bytes, as far as they are known */
};

/* 1: the picture is whole; the remark is added. 0: it is not. code and number are those of libjpeg's message. */
int mdm_jpeg_warning(struct mdm_remarks *r, int code, int number, const struct mdm_jpeg_place *place);

#endif
