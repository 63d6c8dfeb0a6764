/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From options to the way in which image files are read.
 */
#ifndef MASKDM_DATA_READING_H
#define MASKDM_DATA_READING_H

#include "image/image.h"
#include "option/option.h"

/* What options of kind "folder" or "image" say; NULL: the defaults. `channels` as in the struct; the size is left at
 * 0. */
int mdm_reading_set(struct mdm_reading *out, const maskdm_options *options, int channels);

#endif
