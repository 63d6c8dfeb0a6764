/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Grid masks: k of every n x n patches are visible, each cell choosing for itself, so that no part of the image is
 * left without any (SPRINT's structured subset).
 */
#include "base/error.h"
#include "mask/cells.h"

static int64_t visible_grid(const maskdm_mask *m, double ratio, struct mdm_grid grid)
{
    const int64_t n = m->cell_size;

    (void)ratio;
    MDM_TRY(mdm_cells_check(n, grid));
    if (m->cell_visible > n * n)
        return mdm_fail(MASKDM_EINVAL, "a cell of %lld x %lld patches has no %lld that could be visible",
                        (long long)n, (long long)n, (long long)m->cell_visible);
    return grid.rows * grid.columns / (n * n) * m->cell_visible;
}

static int draw_grid(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream,
                     int32_t *index)
{
    const struct mdm_cells cells = {
        .rows = m->cell_size, .columns = m->cell_size, .groups = 1, .share = m->cell_visible};

    (void)visible;
    mdm_cells_deal(cells, grid, stream, index);
    return 0;
}

static double nominal_grid(const maskdm_mask *m)
{
    return 1 - (double)m->cell_visible / ((double)m->cell_size * (double)m->cell_size);
}

const struct mdm_mask_policy mdm_mask_grid = {
    .name = "grid", .visible = visible_grid, .draw = draw_grid, .purpose = MDM_DRAW_MASK, .nominal = nominal_grid};
