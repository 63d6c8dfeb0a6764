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

/* Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S): a patch is taken with
 * probability (still wanted) / (still to come), which needs no memory and gives rising indices. */
static int draw_patch(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream,
                      int32_t *index)
{
    const int64_t patches = grid.rows * grid.columns;
    int64_t taken = 0;

    (void)m;
    for (int64_t i = 0; taken < visible; i++)
        if (mdm_rng_range(stream, (uint32_t)(patches - i)) < (uint32_t)(visible - taken))
            index[taken++] = (int32_t)i;
    return 0;
}

const struct mdm_mask_policy mdm_mask_patch = {"patch", visible_patch, draw_patch, MDM_DRAW_MASK, mdm_mask_ratio};
