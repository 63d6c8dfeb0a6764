/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Block masks: the grid is cut into blocks of b x b patches, and floor(ratio P) / b^2 blocks (an integer division)
 * are hidden, so that the true rate is at most the nominal one.
 */
#include "base/error.h"
#include "mask/mask.h"

/* Where none was asked for, the authors' side unless it does not tile the grid. */
static int64_t side_of(const maskdm_mask *m, struct mdm_grid grid)
{
    if (m->block_size)
        return m->block_size;
    return grid.rows % 2 || grid.columns % 2 ? 1 : 2;
}

static int64_t visible_block(const maskdm_mask *m, double ratio, struct mdm_grid grid)
{
    const int64_t b = side_of(m, grid), patches = grid.rows * grid.columns;

    if (grid.rows % b || grid.columns % b)
        return mdm_fail(MASKDM_EINVAL, "blocks of %lld x %lld patches do not tile a grid of %lld x %lld",
                        (long long)b, (long long)b, (long long)grid.rows, (long long)grid.columns);
    return patches - (int64_t)(ratio * (double)patches) / (b * b) * (b * b);
}

/* Selection sampling over blocks, as mdm_rng_choose(). The decisions of one row of blocks are needed once for each of
 * its b rows of patches: the stream is a value, so they are drawn again from a copy rather than kept. */
static int draw_block(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream,
                      int32_t *index)
{
    const int64_t b = side_of(m, grid);
    int64_t wanted = visible / (b * b), left = grid.rows * grid.columns / (b * b), written = 0;

    for (int64_t top = 0; top < grid.rows; top += b) {
        const struct mdm_rng start = *stream;
        const int64_t wanted_here = wanted, left_here = left;

        for (int64_t row = top; row < top + b; row++) {
            *stream = start;
            wanted = wanted_here;
            left = left_here;
            for (int64_t column = 0; column < grid.columns; column += b) {
                if (mdm_rng_range(stream, (uint32_t)left--) >= (uint32_t)wanted)
                    continue;
                wanted--;
                for (int64_t i = 0; i < b; i++)
                    index[written++] = (int32_t)(row * grid.columns + column + i);
            }
        }
    }
    return 0;
}

const struct mdm_mask_policy mdm_mask_block = {.name = "block",
                                               .visible = visible_block,
                                               .draw = draw_block,
                                               .purpose = MDM_DRAW_MASK,
                                               .nominal = mdm_mask_ratio};
