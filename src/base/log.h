/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages for the host: one callback per handle, called on the thread that called the API. The library
 * itself never prints. */
#ifndef MASKDM_BASE_LOG_H
#define MASKDM_BASE_LOG_H

#include "base/error.h"

struct mdm_log {
    maskdm_log_callback call; /* NULL: silence */
    void *user;
};

void mdm_log_line(const struct mdm_log *log, int level, const char *format, ...) MDM_PRINTF(3, 4);

#endif
