/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/mask.h: validate and forward.
 */
#include "diffusion/mask.h"

#include "api/argument.h"

#include <math.h>

int maskdm_mask_create(maskdm_mask **out, const maskdm_options *options)
{
    struct maskdm_work work = {0};

    MASKDM_NEED_OUT(out);
    MASKDM_TRY(maskdm_work_share(&work, maskdm_optionset_handle(options)));
    return maskdm_work_end(&work, maskdm_masking_create(out, options));
}

int maskdm_mask_create_custom(maskdm_mask **out, const char *name, maskdm_mask_visible_callback visible,
                              maskdm_mask_draw_callback draw, void (*drop)(void *user), void *user)
{
    MASKDM_NEED_OUT(out);
    MASKDM_NEED(name);
    MASKDM_NEED(visible);
    MASKDM_NEED(draw);
    return maskdm_masking_create_custom(out, name, visible, draw, drop, user);
}

void maskdm_mask_release(maskdm_mask **mask)
{
    if (mask)
        maskdm_masking_drop(mask);
}

const char *maskdm_mask_name(const maskdm_mask *mask)
{
    MASKDM_NEED_OR(mask, NULL);
    return maskdm_masking_name(mask);
}

int64_t maskdm_mask_visible(const maskdm_mask *mask, int64_t rows, int64_t columns)
{
    struct maskdm_work work = {0};
    int64_t visible;

    MASKDM_NEED(mask);
    MASKDM_TRY(maskdm_work_share(&work, &mask->handle));
    visible = maskdm_masking_visible(mask, rows, columns);
    (void)maskdm_work_end(&work, MASKDM_OK);
    return visible;
}

double maskdm_mask_nominal_rate(const maskdm_mask *mask)
{
    MASKDM_NEED_OR(mask, (double)NAN);
    return mask->policy->nominal ? mask->policy->nominal(mask) : (double)NAN;
}

double maskdm_mask_true_rate(const maskdm_mask *mask, int64_t rows, int64_t columns)
{
    int64_t visible;

    MASKDM_NEED_OR(mask, (double)NAN);
    visible = maskdm_mask_visible(mask, rows, columns);
    return visible < 0 ? (double)NAN : 1 - (double)visible / ((double)rows * (double)columns);
}

int maskdm_mask_draw(const maskdm_mask *mask, int64_t rows, int64_t columns, uint64_t seed, int64_t first,
                     int64_t step, int64_t count, int32_t *index)
{
    struct maskdm_work work = {0};

    MASKDM_NEED(mask);
    MASKDM_NEED_COUNT(first);
    MASKDM_NEED_COUNT(step);
    MASKDM_NEED_COUNT(count);
    MASKDM_NEED_ARRAY(index, count);
    MASKDM_TRY(maskdm_work_share(&work, &mask->handle));
    return maskdm_work_end(&work, maskdm_masking_draw(mask, rows, columns, 0, seed, first, step, count, index));
}
