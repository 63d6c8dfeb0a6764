/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Option table of communicators.
 */
#ifndef MASKDM_COMM_OPTIONS_H
#define MASKDM_COMM_OPTIONS_H

#include "option/option.h"

struct mdm_comm_options {
    const char *module;
    double patience;
};

extern const struct mdm_option_table mdm_comm_options;
extern const struct mdm_option_kind mdm_comm_kind;

#endif
