/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The images of a source with the labels that its user wants.
 */
#ifndef MASKDM_DATA_FIND_H
#define MASKDM_DATA_FIND_H

#include "data/options.h"
#include "data/scan.h"

/* As mdm_source_find(), or mdm_mixture_find(); and where the options `told`, which stand in `from`, name a file of
 * labels, they take the place of those that the source has. An image that it does not name has none; MASKDM_EINVAL
 * where it names not one of them. */
int mdm_data_find(struct mdm_scan *found, const char *path, const struct mdm_scan_except *except,
                  const struct mdm_folder_options *told, const maskdm_options *from, const struct mdm_log *log,
                  maskdm_control *control);

#endif
