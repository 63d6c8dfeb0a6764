/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option table of devices.
 */
#ifndef MASKDM_BACKEND_OPTIONS_H
#define MASKDM_BACKEND_OPTIONS_H

#include "option/option.h"

extern const struct mdm_option_table mdm_device_options;

extern const struct mdm_option_kind mdm_device_kind;

#endif
