/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patch masks: floor(ratio P) of the P patches are hidden, every set of that size equally likely.
 */
#include "mask/mask.h"

static int64_t visible_patch(const maskdm_mask *m, double ratio, struct mdm_grid grid)
{
    const int64_t patches = grid.rows * grid.columns;

    (void)m;
    return patches - (int64_t)(ratio * (double)patches);
}

static int draw_patch(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream,
                      int32_t *index)
{
    (void)m;
    mdm_rng_choose(stream, index, visible, grid.rows * grid.columns);
    return 0;
}

const struct mdm_mask_policy mdm_mask_patch = {.name = "patch",
                                               .visible = visible_patch,
                                               .draw = draw_patch,
                                               .purpose = MDM_DRAW_MASK,
                                               .nominal = mdm_mask_ratio};
