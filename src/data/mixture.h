/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Several sources as one: a file that names them,
 *
 *     {"sources": [{"data": "faces", "weight": 3}, {"data": "more.tar"}]}
 *
 * whose paths are those from the file's own folder. Their images are one list, under the number of the source and the
 * name that they have there; labels of the same name are the same.
 */
#ifndef MASKDM_DATA_MIXTURE_H
#define MASKDM_DATA_MIXTURE_H

#include "data/scan.h"

/* Whether `path` leads to such a file, by its name; it may still be broken. */
int mdm_mixture_is(int *is, const char *path);
/* As mdm_source_find(). */
int mdm_mixture_find(struct mdm_scan *s, const char *path, const struct mdm_scan_except *except,
                     const struct mdm_log *log, maskdm_control *control);

#endif
