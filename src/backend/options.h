/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option table of devices.
 */
#ifndef MASKDM_BACKEND_OPTIONS_H
#define MASKDM_BACKEND_OPTIONS_H

#include "util/option.h"

extern const struct maskdm_option_table maskdm_device_options;

extern const struct maskdm_option_kind maskdm_device_kind;

#endif
