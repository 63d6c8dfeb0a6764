/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Grids cut into equal cells, whose patches are dealt to groups: as many of each cell to each group, everything else
 * equally likely. A grid that is one cell is dealt as a whole.
 */
#ifndef MASKDM_MASK_CELLS_H
#define MASKDM_MASK_CELLS_H

#include "mask/mask.h"

struct mdm_cells {
    int64_t rows, columns; /* patches of a cell; they divide the grid's */
    int64_t groups;        /* at most MDM_MASK_GROUPS */
    int64_t share;         /* patches of a cell that a group gets; what is left over no group gets */
};

/* EINVAL where cells of n x n patches do not tile the grid. */
int mdm_cells_check(int64_t n, struct mdm_grid grid);
/* index: the patches of one group after the other, rising within each. */
void mdm_cells_deal(struct mdm_cells cells, struct mdm_grid grid, struct mdm_rng *stream, int32_t *index);

#endif
