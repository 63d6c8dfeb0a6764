/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a run that tunes for consistency asks of its options, and what it says of them.
 */
#include "run/run.h"

#include "base/error.h"
#include "train/tune.h"

#include <math.h>

/* What other training has in place of its loss, weights and times, or has alone. */
static const struct {
    const char *name, *instead;
} others[] = {{"loss", "tune_huber"},
              {"loss_delta", "tune_huber"},
              {"weight", "tune_floor"},
              {"weight_gamma", "tune_floor"},
              {"weight_offset", "tune_floor"},
              {"time_draw", "tune_mean"},
              {"time_mean", "tune_mean"},
              {"time_std", "tune_std"},
              {"mode_scale", "tune_std"},
              {"forget_power", "tune_floor"},
              {"retain", NULL}};

int mdm_run_check_tuning(const maskdm_options *o)
{
    for (size_t i = 0; i < MDM_LENGTH(others); i++)
        if (mdm_options_is_set(o, others[i].name))
            return mdm_fail(MASKDM_EINVAL, "%s has no meaning for consistency tuning%s%s",
                            mdm_options_said(o, others[i].name), others[i].instead ? ", which has " : "",
                            others[i].instead ? mdm_options_said(o, others[i].instead) : "");
    return MASKDM_OK;
}

int mdm_run_settle_tuning(maskdm_options *stage, int64_t steps)
{
    struct mdm_consistency_options told;
    int64_t every;

    mdm_options_read(stage, &mdm_consistency_options, &told);
    if (told.every)
        return MASKDM_OK;
    every = steps / told.stages;
    return mdm_options_set_int(stage, "tune_every", every ? every : 1);
}

void mdm_run_tell_tuning(const struct mdm_run *run)
{
    const struct mdm_consistency_options *told = &run->trainer->tune->rule.told;
    const int64_t step = run->trainer->optimizer->steps,
                  stage = mdm_consistency_stage(&run->trainer->tune->rule, step);

    mdm_log_line(
        mdm_control_log(run->control), MASKDM_LOG_INFO,
        "consistency tuning from stage %lld of %lld, %lld step%s each: steps of 1/%g of the noise, in the last "
        "1/%g",
        (long long)stage + 1, (long long)told->stages, (long long)told->every, told->every == 1 ? "" : "s",
        pow(told->q, (double)stage + 1), pow(told->q, (double)told->stages));
}
