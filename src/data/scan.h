/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The image files below a folder, and their labels.
 */
#ifndef MASKDM_DATA_SCAN_H
#define MASKDM_DATA_SCAN_H

#include "util/log.h"

#include <stdint.h>

struct maskdm_scan_file {
    char *path;    /* with the folder's own path before it */
    int32_t label; /* -1: beside the sub-folders */
};

/* In byte order of the paths; labels in byte order of the first-level sub-folders that hold images. */
struct maskdm_scan {
    struct maskdm_scan_file *file;
    int64_t count, capacity;
    char **label;
    int64_t labels, label_capacity;
};

/* Every .png, .jpg and .jpeg file, hidden ones and those in hidden folders left out. A link back to a folder above
 * it is left out with a warning. */
int maskdm_scan_folder(struct maskdm_scan *s, const char *path, const struct maskdm_log *log);
void maskdm_scan_free(struct maskdm_scan *s);

#endif
