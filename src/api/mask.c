/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/mask.h: validate and forward.
 */
#include "diffusion/mask.h"
#include "util/error.h"

#include <math.h>

int maskdm_mask_create(maskdm_mask **out, const maskdm_options *options)
{
    if (!out)
        return maskdm_fail(MASKDM_EINVAL, "out is NULL");
    return maskdm_masking_create(out, options);
}

int maskdm_mask_create_custom(maskdm_mask **out, const char *name, maskdm_mask_visible_callback visible,
                              maskdm_mask_draw_callback draw, void (*drop)(void *user), void *user)
{
    if (!out)
        return maskdm_fail(MASKDM_EINVAL, "out is NULL");
    *out = NULL;
    if (!name || !visible || !draw)
        return maskdm_fail(MASKDM_EINVAL, "a custom mask needs a name, `visible` and `draw`");
    return maskdm_masking_create_custom(out, name, visible, draw, drop, user);
}

void maskdm_mask_release(maskdm_mask **mask)
{
    if (mask)
        maskdm_masking_drop(mask);
}

const char *maskdm_mask_name(const maskdm_mask *mask)
{
    return maskdm_masking_name(mask);
}

int64_t maskdm_mask_visible(const maskdm_mask *mask, int64_t rows, int64_t columns)
{
    return maskdm_masking_visible(mask, rows, columns);
}

double maskdm_mask_nominal_rate(const maskdm_mask *mask)
{
    if (!mask)
        return 0;
    return mask->policy->nominal ? mask->policy->nominal(mask) : (double)NAN;
}

double maskdm_mask_true_rate(const maskdm_mask *mask, int64_t rows, int64_t columns)
{
    const int64_t visible = maskdm_masking_visible(mask, rows, columns);

    return visible < 0 ? (double)NAN : 1 - (double)visible / ((double)rows * (double)columns);
}

int maskdm_mask_draw(const maskdm_mask *mask, int64_t rows, int64_t columns, uint64_t seed, int64_t first,
                     int64_t step, int64_t count, int32_t *index)
{
    if (first < 0 || step < 0 || count < 0)
        return maskdm_fail(MASKDM_EINVAL, "first, step and count are %lld, %lld and %lld; none may be negative",
                           (long long)first, (long long)step, (long long)count);
    if (!index && count)
        return maskdm_fail(MASKDM_EINVAL, "index is NULL");
    return maskdm_masking_draw(mask, rows, columns, seed, first, step, count, index);
}
