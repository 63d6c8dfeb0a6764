/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Grid masks: k of every n x n patches are visible, each cell choosing for itself, so that no part of the image is
 * left without any (SPRINT's structured subset).
 */
#include "base/error.h"
#include "mask/cells.h"

enum { USUAL = 2 /* patches, a cell's side */ };

/* Cells that nobody gave a size are of the usual one, or, where that does not tile the grid, the grid is one, of
 * which the same share stays visible. */
static int64_t cut(struct mdm_cells *out, const maskdm_mask *m, struct mdm_grid grid)
{
    const int64_t n = m->cell_size ? m->cell_size : USUAL, all = grid.rows * grid.columns;

    *out = (struct mdm_cells){.rows = n, .columns = n, .groups = 1, .share = m->cell_visible};
    if (m->cell_visible > n * n)
        return mdm_fail(MASKDM_EINVAL, "a cell of %lld x %lld patches has no %lld that could be visible",
                        (long long)n, (long long)n, (long long)m->cell_visible);
    if (m->cell_size || (grid.rows % n == 0 && grid.columns % n == 0))
        return mdm_cells_check(n, grid);
    *out = (struct mdm_cells){.rows = grid.rows, .columns = grid.columns, .groups = 1};
    out->share = (all * m->cell_visible + n * n - 1) / (n * n);
    return MASKDM_OK;
}

static int64_t visible_grid(const maskdm_mask *m, double ratio, struct mdm_grid grid)
{
    struct mdm_cells cells;

    (void)ratio;
    MDM_TRY(cut(&cells, m, grid));
    return grid.rows * grid.columns / (cells.rows * cells.columns) * cells.share;
}

static int draw_grid(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream,
                     int32_t *index)
{
    struct mdm_cells cells;

    (void)visible;
    MDM_TRY(cut(&cells, m, grid));
    mdm_cells_deal(cells, grid, stream, index);
    return 0;
}

static double nominal_grid(const maskdm_mask *m)
{
    const double side = (double)(m->cell_size ? m->cell_size : USUAL);

    return 1 - (double)m->cell_visible / (side * side);
}

const struct mdm_mask_policy mdm_mask_grid = {
    .name = "grid", .visible = visible_grid, .draw = draw_grid, .purpose = MDM_DRAW_MASK, .nominal = nominal_grid};
