/* SPDX-License-Identifier: BSD-2-Clause
 *
 * options.json of a folder that a job fills: what the job was told, to be held against what one is told that goes on
 * in it.
 */
#ifndef MASKDM_RUN_RECORD_H
#define MASKDM_RUN_RECORD_H

#include "util/option.h"

#define MASKDM_RECORD_NAME "options.json"

int maskdm_record_write(const char *folder, const maskdm_options *options);
/* MASKDM_EINVAL for the first option that differs and is not one of `free`, a NULL-terminated list. A folder without
 * a record is fine. */
int maskdm_record_compare(const char *folder, const maskdm_options *options, const char *const *free);

#endif
