/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Many images on one sheet, for eyes: each pixel enlarged to a square, transparency over a checkerboard.
 */
#ifndef MASKDM_IMAGE_SHEET_H
#define MASKDM_IMAGE_SHEET_H

#include "image/image.h"

enum { MDM_SHEET_SIDE = 512 /* pixels that the longer side of a sheet has at least */ };

struct mdm_sheet {
    int64_t columns, scale; /* scale: pixels to a pixel's side */
    int64_t gap, cell_height, cell_width;
    maskdm_image *image; /* the sheet, of 8 bits: as the images, without alpha */
};

/* White, for `count` images; what it cannot be is known before there are images. The scale is the least with which it
 * is no smaller than MDM_SHEET_SIDE. columns: 0 is near square. */
int mdm_sheet_create(struct mdm_sheet *s, int64_t count, int64_t columns, int64_t height, int64_t width,
                     int channels);
void mdm_sheet_put(struct mdm_sheet *s, int64_t i, const maskdm_image *image);
void mdm_sheet_free(struct mdm_sheet *s);

#endif
