/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Euler's method along the path of a process.
 */
#include "base/error.h"
#include "diffusion/slope.h"

static const struct mdm_option_table table = {"euler",
                                              "",
                                              "first order along the path",
                                              mdm_slope_options,
                                              MDM_SLOPE_OPTIONS,
                                              sizeof(struct mdm_slope_options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    return mdm_slope_read(s, options, &table);
}

static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    *out = (struct mdm_evaluation){.step = e};
    mdm_slope_euler(s, mdm_slope_begin(s, e, out), &out->next);
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_euler = {.name = "euler",
                                                  .options = &table,
                                                  .all_noise = 1,
                                                  .listing = MDM_LISTING_REAL,
                                                  .read = read,
                                                  .evaluation = evaluation};
