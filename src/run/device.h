/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The device of a job of the program.
 */
#ifndef MASKDM_RUN_DEVICE_H
#define MASKDM_RUN_DEVICE_H

#include "backend/device.h"
#include "base/log.h"
#include "option/option.h"

/* By name, with the options of devices among `options`. What is not the CPU by its name is said once,
 * and that products are left to an OpenBLAS that does not know the processor. */
int mdm_run_open_device(maskdm_device **out, const char *name, const maskdm_options *options,
                        const struct mdm_log *log);

#endif
