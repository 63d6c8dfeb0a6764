/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The schedule whose betas a checkpoint holds. */
#include "run/convert_schedule.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/discrete.h"
#include "diffusion/options.h"

#include <math.h>
#include <string.h>

enum { MOST_STEPS = 100000 };

/* Within what half precision leaves of a number. */
static int matches(const struct mdm_schedule *schedule, const double *beta, int64_t count)
{
    if (!schedule || schedule->timesteps != count)
        return 0;
    for (int64_t t = 0; t < count; t++)
        if (!(fabs(beta[t] - schedule->beta[t]) <= 1e-3 * schedule->beta[t] + 1e-6))
            return 0;
    return 1;
}

/* The tensor's values in fresh memory; NULL and MASKDM_OK where there is none that could be betas. */
static int read_betas(double **beta, int64_t *count, struct mdm_tensorfile *s, int64_t at)
{
    int status;

    *beta = NULL;
    if (at < 0 || s->tensor[at].rank != 1 || s->tensor[at].elements < 1 || s->tensor[at].elements > MOST_STEPS)
        return MASKDM_OK;
    *count = s->tensor[at].elements;
    *beta = mdm_need((size_t)*count, sizeof **beta, "the schedule of a checkpoint");
    if (!*beta)
        return MASKDM_ENOMEM;
    status = mdm_tensorfile_read_f64(s, at, *beta, *count);
    if (status < 0) {
        mdm_free(*beta);
        *beta = NULL;
    }
    return status;
}

/* Try a schedule; *out stays only where it matches. One that cannot have so few timesteps is a guess gone wrong. */
static int try_schedule(maskdm_scheduler **out, maskdm_options *o, const char *name, const double *beta,
                        int64_t count)
{
    int status;

    if (name)
        MDM_TRY(mdm_options_set(o, "schedule", name));
    status = mdm_scheduler_create(out, o);
    if (status < 0)
        return name && status == MASKDM_EINVAL ? MASKDM_OK : status;
    if (!matches(mdm_discrete_schedule((*out)->process), beta, count))
        mdm_scheduler_drop(out);
    return MASKDM_OK;
}

static int follow(maskdm_scheduler **out, maskdm_options *o, const maskdm_options *given, const double *beta,
                  int64_t count)
{
    static const char *const known[] = {"linear", "cosine"}; /* the last is the default, which stays */

    if (!mdm_options_is_set(given, "timesteps"))
        MDM_TRY(mdm_options_set_int(o, "timesteps", count));
    if (mdm_options_is_set(given, "schedule"))
        return try_schedule(out, o, NULL, beta, count);
    for (size_t i = 0; i < MDM_LENGTH(known) && !*out; i++)
        MDM_TRY(try_schedule(out, o, known[i], beta, count));
    return MASKDM_OK;
}

int mdm_convert_schedule(maskdm_scheduler **out, const maskdm_options *options, struct mdm_tensorfile *s,
                         int64_t betas, const struct mdm_log *log)
{
    maskdm_options *o = NULL;
    double *beta;
    int64_t count = 0;
    int status;

    *out = NULL;
    MDM_TRY(read_betas(&beta, &count, s, betas));
    status = mdm_options_extract(&o, options, &mdm_scheduler_kind);
    if (status == MASKDM_OK && beta)
        status = follow(out, o, options, beta, count);
    if (status == MASKDM_OK && !*out) {
        if (beta)
            mdm_log_line(log, MASKDM_LOG_WARN,
                         "the checkpoint's %lld betas, from %.4g to %.4g, are not those of schedule %s with %s "
                         "timesteps",
                         (long long)count, beta[0], beta[count - 1], mdm_options_text(o, "schedule"),
                         mdm_options_text(o, "timesteps"));
        status = mdm_scheduler_create(out, o);
    }
    mdm_options_release(&o);
    mdm_free(beta);
    return status;
}
