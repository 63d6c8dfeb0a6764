/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Profiles of averages, on numbers of the host's: validate and forward.
 */
#include "train/average.h"

#include "api/argument.h"
#include "base/alloc.h"
#include "model/narrow.h"

#include <math.h>
#include <string.h>

double maskdm_average_exponent(double std)
{
    return mdm_average_check(std) == MASKDM_OK ? mdm_ema_exponent(std) : (double)NAN;
}

int maskdm_average_coefficients(int64_t count, const double *positions, const double *stds, double position,
                                double std, double *out)
{
    struct mdm_profile *in;
    int status;

    MDM_NEED(positions);
    MDM_NEED(stds);
    MDM_NEED(out);
    if (count < 1 || count > MDM_SNAPSHOTS_MOST)
        return mdm_fail(MASKDM_EINVAL, "%s: %lld snapshots are not from 1 to %d", __func__, (long long)count,
                        MDM_SNAPSHOTS_MOST);
    in = mdm_need((size_t)count, sizeof *in, "profiles of averages");
    if (!in)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < count; i++)
        in[i] = (struct mdm_profile){positions[i], stds[i]};
    status = mdm_average_solve(in, count, (struct mdm_profile){position, std}, out, NULL);
    mdm_free(in);
    return status;
}

int maskdm_trainer_snapshot(maskdm_trainer *trainer, const char *folder, const char *dtype)
{
    struct mdm_work work = {0};
    int i = 0;

    MDM_NEED(trainer);
    MDM_NEED(folder);
    MDM_NEED(dtype);
    while (mdm_narrow_dtype(i) && strcmp(mdm_narrow_dtype(i), dtype) != 0)
        i++;
    if (!mdm_narrow_dtype(i))
        return mdm_fail(MASKDM_ENOTFOUND, "snapshots are of F32, F16 or BF16, not of \"%.40s\"", dtype);
    MDM_TRY(mdm_work_alone(&work, &trainer->handle));
    MDM_TRY(mdm_work_alone(&work, &trainer->optimizer->handle));
    return mdm_work_end(&work, mdm_trainer_snapshot(trainer, folder, i));
}
