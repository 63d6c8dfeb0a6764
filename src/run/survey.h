/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is in a folder of images: a page of facts, and a sheet of the images as a network would see them.
 */
#ifndef MASKDM_RUN_SURVEY_H
#define MASKDM_RUN_SURVEY_H

#include "backend/device.h"
#include "data/data.h"
#include "run/options.h"

/* options: kind "survey". The page goes to `write`, once the sheet, if there is to be one, stands. */
int mdm_survey_run(const maskdm_options *options, maskdm_control *control, maskdm_write_callback write, void *user);

/* ---- survey_look.c ---- */
/* What one file is. */
struct mdm_survey_file {
    int64_t height, width;
    int channels, bits, transparent;
    int broken;      /* it cannot be read; nothing else is known */
    uint64_t digest; /* of its pixels */
};
/* Every file of the list, in room for as many; the broken ones are named to the log, the first few of them, and
 * marked in the list. */
int mdm_survey_look(struct mdm_survey_file *file, struct mdm_scan *scan, const struct mdm_reading *how,
                    maskdm_device *device, maskdm_control *control);

/* ---- survey_sheet.c ---- */
/* Of the first images that training with these options and this seed would see. The list is taken over. transparent:
 * whether channels that nobody chose are to be four. */
int mdm_survey_sheet(const maskdm_options *options, const struct mdm_survey_run_options *told, struct mdm_scan *scan,
                     int transparent, maskdm_device *device, maskdm_control *control);

#endif
