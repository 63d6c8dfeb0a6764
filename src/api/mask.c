/* SPDX-License-Identifier: BSD-2-Clause
 *
 * maskdm/mask.h: validate and forward.
 */
#include "mask/mask.h"

#include "api/argument.h"

#include <math.h>

int maskdm_mask_create(maskdm_mask **out, const maskdm_options *options)
{
    struct mdm_work work = {0};

    MDM_NEED_OUT(out);
    MDM_TRY(mdm_work_share(&work, mdm_options_handle(options)));
    return mdm_work_end(&work, mdm_mask_create(out, options));
}

static int create_custom(maskdm_mask **out, const char *name, maskdm_mask_visible_callback visible,
                         maskdm_mask_draw_callback draw, maskdm_drop_callback drop, void *user, const char *function)
{
    if (!out)
        return mdm_argument_null(function, "out");
    *out = NULL;
    if (!name || !visible || !draw)
        return mdm_argument_null(function, !name ? "name" : !visible ? "visible" : "draw");
    return mdm_mask_create_custom(out, name, visible, draw, drop, user);
}

int maskdm_mask_create_custom(maskdm_mask **out, const char *name, maskdm_mask_visible_callback visible,
                              maskdm_mask_draw_callback draw, maskdm_drop_callback drop, void *user)
{
    int status = create_custom(out, name, visible, draw, drop, user, __func__);

    if (status < 0 && drop)
        drop(user);
    return status;
}

void maskdm_mask_release(maskdm_mask **mask)
{
    if (mask)
        mdm_mask_drop(mask);
}

const char *maskdm_mask_name(const maskdm_mask *mask)
{
    MDM_NEED_OR(mask, NULL);
    return mdm_mask_name(mask);
}

static int64_t visible_at(const maskdm_mask *mask, int64_t rows, int64_t columns, int64_t step)
{
    struct mdm_work work = {0};
    int64_t visible;

    MDM_TRY(mdm_work_share(&work, &mask->handle));
    visible = mdm_mask_visible(mask, rows, columns, step);
    (void)mdm_work_end(&work, visible < 0 ? (int)visible : MASKDM_OK);
    return visible;
}

int64_t maskdm_mask_visible(const maskdm_mask *mask, int64_t rows, int64_t columns)
{
    MDM_NEED(mask);
    return visible_at(mask, rows, columns, 0);
}

int64_t maskdm_mask_visible_at(const maskdm_mask *mask, int64_t rows, int64_t columns, int64_t step)
{
    MDM_NEED(mask);
    MDM_NEED_COUNT(step);
    return visible_at(mask, rows, columns, step);
}

int64_t maskdm_mask_groups(const maskdm_mask *mask)
{
    MDM_NEED(mask);
    return mdm_mask_groups(mask);
}

double maskdm_mask_nominal_rate(const maskdm_mask *mask)
{
    MDM_NEED_OR(mask, (double)NAN);
    return mask->policy->nominal ? mask->policy->nominal(mask) : (double)NAN;
}

double maskdm_mask_true_rate(const maskdm_mask *mask, int64_t rows, int64_t columns)
{
    int64_t visible;

    MDM_NEED_OR(mask, (double)NAN);
    visible = maskdm_mask_visible(mask, rows, columns);
    return visible < 0 ? (double)NAN : 1 - (double)visible / ((double)rows * (double)columns);
}

int maskdm_mask_draw(const maskdm_mask *mask, int64_t rows, int64_t columns, uint64_t seed, int64_t first,
                     int64_t step, int64_t count, int32_t *index)
{
    struct mdm_work work = {0};

    MDM_NEED(mask);
    MDM_NEED_COUNT(first);
    MDM_NEED_COUNT(step);
    MDM_NEED_COUNT(count);
    MDM_NEED_ARRAY(index, count);
    MDM_TRY(mdm_work_share(&work, &mask->handle));
    return mdm_work_end(&work, mdm_mask_draw(mask, rows, columns, 0, seed, first, step, count, index));
}
