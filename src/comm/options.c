/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The communicator.
 */
#include "comm/options.h"

#include "base/error.h"

static const struct mdm_option rows[] = {
    {MDM_OPTION(mdm_comm_options, module), .standard = "", .is_path = 1, .may_change = 1,
     .alias = "plugin|mpi_module|library", .help = "file of the communicator's module; empty: where it is installed"},
    {MDM_OPTION(mdm_comm_options, patience), .standard = "30", .min = 1, .max = 86400, .unit = "seconds",
     .may_change = 1, .alias = "timeout|comm_timeout|heartbeat",
     .help = "silence after which a process is taken to be gone; one that is busy is not silent"},
};
const struct mdm_option_table mdm_comm_options = {"comm", "comm_",          "work of several processes",
                                                  rows,   MDM_LENGTH(rows), sizeof(struct mdm_comm_options)};

static const struct mdm_option_table *const tables[] = {&mdm_comm_options};
const struct mdm_option_kind mdm_comm_kind = {"comm", "work of several processes", tables, 1, NULL};
