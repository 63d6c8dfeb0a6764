/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many images on one sheet, for eyes: each pixel enlarged to a square, transparency over a checkerboard, a caption
 * below.
 */
#ifndef MASKDM_IMAGE_SHEET_H
#define MASKDM_IMAGE_SHEET_H

#include "image/image.h"

enum { MDM_SHEET_SIDE = 512 /* pixels that the longer side of a sheet has at least */ };

struct mdm_sheet_how {
    int64_t columns; /* 0: near square */
    int64_t scale;   /* pixels to a pixel's side; 0: the least with which it is no smaller than MDM_SHEET_SIDE */
    int captions;    /* there is room for them */
    int bits;        /* 8 or 16 */
};

struct mdm_sheet {
    struct mdm_sheet_how how; /* resolved */
    int64_t gap, cell_height, cell_width, strip;
    maskdm_image *image; /* the sheet: as the images, without alpha */
};

/* White, for `count` images; what it cannot be is known before there are images. */
int mdm_sheet_create(struct mdm_sheet *s, int64_t count, const struct mdm_sheet_how *how, int64_t height,
                     int64_t width, int channels);
/* caption: UTF-8; NULL is none. */
void mdm_sheet_put(struct mdm_sheet *s, int64_t i, const maskdm_image *image, const char *caption);
void mdm_sheet_free(struct mdm_sheet *s);

#endif
