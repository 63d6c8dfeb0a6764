/* SPDX-License-Identifier: BSD-2-Clause
 *
 * No mask: every patch is visible.
 */
#include "mask/mask.h"

static int64_t visible_none(const maskdm_mask *m, double ratio, struct mdm_grid grid)
{
    (void)ratio;
    (void)m;
    return grid.rows * grid.columns;
}

static int draw_none(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream,
                     int32_t *index)
{
    (void)m;
    (void)grid;
    (void)stream;
    for (int64_t i = 0; i < visible; i++)
        index[i] = (int32_t)i;
    return 0;
}

static double nominal_none(const maskdm_mask *m)
{
    (void)m;
    return 0;
}

const struct mdm_mask_policy mdm_mask_none = {
    .name = "none", .visible = visible_none, .draw = draw_none, .purpose = MDM_DRAW_MASK, .nominal = nominal_none};
