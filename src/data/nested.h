/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Folders of images inside the folders that give labels: the sign of a path that is one level too high.
 */
#ifndef MASKDM_DATA_NESTED_H
#define MASKDM_DATA_NESTED_H

#include "data/scan.h"
#include "text/text.h"

struct mdm_nested {
    const char *path; /* of a file in it; its first `length` bytes are the folder's path */
    size_t length;
    int64_t folders; /* with images, directly in it */
};

/* The first folder below that of `label`, or that one, that holds more than a single folder. */
struct mdm_nested mdm_nested_below(const struct mdm_scan *s, int64_t label);
/* The names of the folders in it: "a, b, c", the first few alone. */
void mdm_nested_list(const struct mdm_scan *s, const struct mdm_nested *n, struct mdm_text *out);

#endif
