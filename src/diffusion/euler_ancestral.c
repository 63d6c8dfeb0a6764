/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Euler's method to less noise than a step's end has, and fresh noise up to it (Crowson's k-diffusion). In levels
 * that is DDIM's step at eta 1; what differs is that the slope follows from the clipped x0 always, and on a table
 * where x begins and which levels lie between whole times.
 */
#include "base/error.h"
#include "diffusion/ddim.h"

struct options {
    int64_t steps;
    double eta;
};

static const struct mdm_option rows[] = {{MDM_STEPS(options, "50")}, {MDM_ETA(options, "1")}};
static const struct mdm_option_table table = {
    "euler_ancestral",     "", "first order, with fresh noise in every step", rows, MDM_LENGTH(rows),
    sizeof(struct options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    struct options o;

    mdm_options_read(options, &table, &o);
    s->steps = o.steps;
    s->eta = o.eta;
    s->eps = MDM_EPS_CLIPPED;
    s->needs_trace = !mdm_process_is_straight(s->scheduler->process);
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_euler_ancestral = {.name = "euler_ancestral",
                                                            .options = &table,
                                                            .all_noise = 1,
                                                            .listing = MDM_LISTING_REAL,
                                                            .read = read,
                                                            .evaluation = mdm_ddim_evaluation};
