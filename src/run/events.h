/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scalars as TensorBoard reads them: records of bytes with their length and CRC-32C, each an Event of its protocol.
 */
#ifndef MASKDM_RUN_EVENTS_H
#define MASKDM_RUN_EVENTS_H

#include "os/file.h"

#include <stdint.h>

/* Begin a file events.out.tfevents.TIME.maskdm in a folder; TIME is now, in seconds since 1970. */
int mdm_events_open(struct mdm_appender **out, const char *folder, double now);
/* One number of a step; one that is not finite is left out. */
int mdm_events_add(struct mdm_appender *a, double now, int64_t step, const char *tag, double value);

#endif
