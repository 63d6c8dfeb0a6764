/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The communicator of one process: what several do, by one, in the same order.
 */
#ifndef MASKDM_COMM_SELF_H
#define MASKDM_COMM_SELF_H

#include "comm/carrier.h"

extern const struct mdm_carrier_vtbl mdm_self_vtbl;

int mdm_self_open(struct mdm_carrier **out, const struct mdm_comm_host *host, const struct mdm_comm_settings *s);

#endif
