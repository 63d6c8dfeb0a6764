/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The whole sampling job: model file in, pictures out.
 */
#ifndef MASKDM_RUN_SAMPLE_H
#define MASKDM_RUN_SAMPLE_H

#include <maskdm/control.h>
#include <maskdm/options.h>

/* options: kind "sample". */
int mdm_sample_run(const maskdm_options *options, maskdm_control *control);

#endif
