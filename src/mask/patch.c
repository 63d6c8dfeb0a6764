/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patch masks: floor(ratio P) of the P patches are hidden, every set of that size equally likely.
 */
#include "mask/mask.h"

static int64_t visible_patch(const maskdm_mask *m, struct mdm_grid grid)
{
    const int64_t patches = grid.rows * grid.columns;

    return patches - (int64_t)(m->ratio * (double)patches);
}

static int draw_patch(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream,
                      int32_t *index)
{
    (void)m;
    mdm_rng_choose(stream, index, visible, grid.rows * grid.columns);
    return 0;
}

const struct mdm_mask_policy mdm_mask_patch = {"patch", visible_patch, draw_patch, MDM_DRAW_MASK, mdm_mask_ratio};
