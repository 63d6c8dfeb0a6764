/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Partitions: the patches go into groups of one size that together are the image, and each group is visible to itself
 * alone. Two groups are a mask and its complement. Groups are drawn from the whole image, or with as many patches
 * from each cell.
 */
#include "base/error.h"
#include "mask/cells.h"

static struct mdm_cells cells_of(const maskdm_mask *m, struct mdm_grid grid)
{
    const int64_t n = m->cell_size;
    const struct mdm_grid cell = {n ? n : grid.rows, n ? n : grid.columns};

    return (struct mdm_cells){.rows = cell.rows,
                              .columns = cell.columns,
                              .groups = m->groups,
                              .share = cell.rows * cell.columns / m->groups};
}

static int64_t visible_partition(const maskdm_mask *m, double ratio, struct mdm_grid grid)
{
    const struct mdm_cells cells = cells_of(m, grid);

    (void)ratio;
    if (m->cell_size)
        MDM_TRY(mdm_cells_check(m->cell_size, grid));
    if (cells.rows * cells.columns % m->groups)
        return mdm_fail(MASKDM_EINVAL, "%lld groups do not divide the %lld patches of %s of %lld x %lld",
                        (long long)m->groups, (long long)(cells.rows * cells.columns),
                        m->cell_size ? "a cell" : "a grid", (long long)cells.rows, (long long)cells.columns);
    return grid.rows * grid.columns / m->groups;
}

static int draw_partition(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream,
                          int32_t *index)
{
    (void)visible;
    mdm_cells_deal(cells_of(m, grid), grid, stream, index);
    return 0;
}

static double nominal_partition(const maskdm_mask *m)
{
    return 1 - 1 / (double)m->groups;
}

static int64_t groups_of(const maskdm_mask *m)
{
    return m->groups;
}

const struct mdm_mask_policy mdm_mask_partition = {.name = "partition",
                                                   .visible = visible_partition,
                                                   .draw = draw_partition,
                                                   .purpose = MDM_DRAW_MASK,
                                                   .nominal = nominal_partition,
                                                   .groups = groups_of};
