/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Euler's method along the path of a process.
 */
#include "base/error.h"
#include "diffusion/slope.h"

static const struct mdm_option rows[] = {{MDM_STEPS(mdm_churn_options, "50")}, MDM_CHURN(mdm_churn_options)};
static const struct mdm_option_table table = {
    "euler", "", "first order along the path", rows, MDM_LENGTH(rows), sizeof(struct mdm_churn_options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    struct mdm_churn_options o;

    mdm_options_read(options, &table, &o);
    return mdm_churn_read(s, &o);
}

static int64_t evaluations(const struct mdm_method *s)
{
    return s->steps;
}

static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    *out = (struct mdm_evaluation){.step = e};
    mdm_slope_euler(s, mdm_slope_begin(s, e, out), &out->next);
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_euler = {
    .name = "euler", .options = &table, .read = read, .evaluations = evaluations, .evaluation = evaluation};
