/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Selection sampling as in mdm_rng_choose(), with several groups to be chosen for: with one cell and one group it
 * draws the very same.
 */
#include "mask/cells.h"

#include "base/error.h"

/* Where the next index of each group goes. */
struct hand {
    int32_t *at[MDM_MASK_GROUPS];
};

int mdm_cells_check(int64_t n, struct mdm_grid grid)
{
    if (grid.rows % n || grid.columns % n)
        return mdm_fail(MASKDM_EINVAL, "cells of %lld x %lld patches do not tile a grid of %lld x %lld", (long long)n,
                        (long long)n, (long long)grid.rows, (long long)grid.columns);
    return MASKDM_OK;
}

/* The group of the next of `left` patches, which takes it off what that group still wants; `groups` for none. */
static int64_t choose(struct mdm_rng *stream, int64_t *wanted, int64_t groups, int64_t left)
{
    int64_t number = mdm_rng_range(stream, (uint32_t)left), group = 0;

    while (group < groups && number >= wanted[group])
        number -= wanted[group++];
    if (group < groups)
        wanted[group]--;
    return group;
}

/* Every patch of the cell is dealt, and those in its rows from .. end - 1 are written. first: the index of its first
 * patch. */
static void deal(struct mdm_cells cells, int64_t first, int64_t across, int64_t from, int64_t end,
                 struct mdm_rng *stream, struct hand *hand)
{
    int64_t wanted[MDM_MASK_GROUPS], left = cells.rows * cells.columns;

    for (int64_t g = 0; g < cells.groups; g++)
        wanted[g] = cells.share;
    for (int64_t row = 0; row < cells.rows; row++)
        for (int64_t column = 0; column < cells.columns; column++) {
            const int64_t group = choose(stream, wanted, cells.groups, left--);

            if (group < cells.groups && row >= from && row < end)
                *hand->at[group]++ = (int32_t)(first + row * across + column);
        }
}

/* Of cells side by side, a row of patches is written at a time, so that indices rise: the stream is a value, and what
 * was drawn for the cells is drawn again for each of their rows rather than kept. */
void mdm_cells_deal(struct mdm_cells cells, struct mdm_grid grid, struct mdm_rng *stream, int32_t *index)
{
    const int64_t each = grid.rows * grid.columns / (cells.rows * cells.columns) * cells.share;
    const int64_t rows = cells.columns == grid.columns ? cells.rows : 1; /* written at a time */
    struct hand hand;

    for (int64_t g = 0; g < cells.groups; g++)
        hand.at[g] = index + g * each;
    for (int64_t top = 0; top < grid.rows; top += cells.rows) {
        const struct mdm_rng start = *stream;

        for (int64_t row = 0; row < cells.rows; row += rows) {
            *stream = start;
            for (int64_t column = 0; column < grid.columns; column += cells.columns)
                deal(cells, top * grid.columns + column, grid.columns, row, row + rows, stream, &hand);
        }
    }
}
