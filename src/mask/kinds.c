/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two masks an image. They are drawn apart, as MaskDM's first program draws them (datasets/masking_generator.py), so
 * that of a place its approximation may be visible without its details.
 */
#include "mask/kinds.h"

#include "base/error.h"
#include "option/option.h"

/* The second kind's draws are those of other images of the run's stream, behind all that it has. */
static const int64_t behind = (int64_t)1 << 43;

static const maskdm_mask *of_second(const maskdm_mask *m)
{
    return m && m->details ? m->details : m;
}

int64_t mdm_mask_visible_kinds(const maskdm_mask *m, const struct mdm_grids *g, int64_t step, int64_t *second)
{
    const int64_t first = mdm_mask_visible(m, g->first.rows, g->first.columns, step);

    *second = 0;
    if (!g->second.rows && m && m->details)
        return mdm_fail(MASKDM_EINVAL, "%s is for details, and the network's patches are of one kind",
                        mdm_options_said(m->options, "detail_ratio"));
    if (!g->second.rows || first < 0)
        return first;
    if (m && m->policy->window)
        return mdm_fail(MASKDM_EINVAL,
                        "mask %s shows one window of an image, and the network's patches are of two kinds that are "
                        "hidden apart",
                        mdm_mask_name(m));
    if (mdm_mask_groups(m) > 1)
        return mdm_fail(MASKDM_EINVAL,
                        "mask %s divides the patches of an image, and the network's are of two kinds that are hidden "
                        "apart",
                        mdm_mask_name(m));
    *second = mdm_mask_visible(of_second(m), g->second.rows, g->second.columns, step);
    return *second < 0 ? *second : first + *second;
}

int mdm_mask_draw_kinds(const maskdm_mask *m, const struct mdm_grids *g, int64_t visible, uint64_t seed,
                        int64_t first, int64_t step, int64_t count, int32_t *index)
{
    const struct mdm_grid a = g->first, b = g->second;
    int64_t second, now;

    if (!b.rows)
        return mdm_mask_draw(m, a.rows, a.columns, visible, seed, first, step, count, index);
    now = mdm_mask_visible_kinds(m, g, step, &second);
    if (now < 0)
        return (int)now;
    for (int64_t i = 0; i < count; i++, index += visible) {
        int32_t *details = index + visible - second;

        MDM_TRY(mdm_mask_draw(m, a.rows, a.columns, visible - second, seed, first + i, step, 1, index));
        MDM_TRY(mdm_mask_draw(of_second(m), b.rows, b.columns, second, seed, behind + first + i, step, 1, details));
        for (int64_t k = 0; k < second; k++)
            details[k] += (int32_t)(a.rows * a.columns);
    }
    return MASKDM_OK;
}
