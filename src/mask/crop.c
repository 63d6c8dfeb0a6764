/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Crop masks: one square window of c x c patches is visible, every place equally likely.
 */
#include "base/error.h"
#include "mask/mask.h"

static int64_t visible_crop(const maskdm_mask *m, double ratio, struct mdm_grid grid)
{
    const int64_t c = m->crop_size;

    (void)ratio;
    if (c > grid.rows || c > grid.columns)
        return mdm_fail(MASKDM_EINVAL, "a window of %lld x %lld patches does not fit into a grid of %lld x %lld",
                        (long long)c, (long long)c, (long long)grid.rows, (long long)grid.columns);
    return c * c;
}

static int draw_crop(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream,
                     int32_t *index)
{
    const int64_t c = m->crop_size;
    const int64_t top = mdm_rng_range(stream, (uint32_t)(grid.rows - c + 1));
    const int64_t left = mdm_rng_range(stream, (uint32_t)(grid.columns - c + 1));

    for (int64_t i = 0; i < visible; i++)
        index[i] = (int32_t)((top + i / c) * grid.columns + left + i % c);
    return 0;
}

const struct mdm_mask_policy mdm_mask_crop = {
    .name = "crop", .visible = visible_crop, .draw = draw_crop, .purpose = MDM_DRAW_MASK, .window = 1};
