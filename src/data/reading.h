/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From options to the way in which image files are read.
 */
#ifndef MASKDM_DATA_READING_H
#define MASKDM_DATA_READING_H

#include "image/image.h"
#include "data/options.h"

/* What options say; NULL: the defaults. `channels` as in the struct; the size is left at 0. `from` has the names for
 * error lines. */
int mdm_reading_set(struct mdm_reading *out, const struct mdm_folder_options *told, const maskdm_options *from,
                    int channels);
/* By how many pixels the side of an image is read longer than it is used, so that a part of it can be drawn. */
int64_t mdm_reading_margin(const struct mdm_folder_options *told, int64_t side);

#endif
