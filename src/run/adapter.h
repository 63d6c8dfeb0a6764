/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Adapters in whole jobs.
 */
#ifndef MASKDM_RUN_ADAPTER_H
#define MASKDM_RUN_ADAPTER_H

#include <maskdm/model.h>

/* A model of one set: the file's weights with the adapter's in them; any: see mdm_adapter_load(). */
int mdm_merged_load(maskdm_model **out, maskdm_device *device, const char *model, const char *adapter, int any);
/* What maskdm_merge() does. */
int mdm_merge_run(const maskdm_options *options, maskdm_control *control);

#endif
