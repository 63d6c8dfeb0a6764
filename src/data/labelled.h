/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Labels out of a file (label_file.h) for the images of a source.
 */
#ifndef MASKDM_DATA_LABELLED_H
#define MASKDM_DATA_LABELLED_H

#include "base/log.h"
#include "data/scan.h"

struct mdm_labelled {
    const char *file;
    const char *attribute; /* "": it has one */
    const char *said;      /* what the user calls the choice of an attribute */
};

/* They take the place of those that the source at `path` has. An image that the file does not name has none;
 * MASKDM_EINVAL where it names not one of them. */
int mdm_labelled_give(struct mdm_scan *s, const char *path, const struct mdm_labelled *by, const struct mdm_log *log);

#endif
