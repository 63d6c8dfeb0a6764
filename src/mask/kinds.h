/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Masks where an image's patches are of two kinds: each is hidden by itself, by the same policy.
 */
#ifndef MASKDM_MASK_KINDS_H
#define MASKDM_MASK_KINDS_H

#include "mask/mask.h"

struct mdm_grids {
    struct mdm_grid first, second; /* second.rows 0: there is one kind */
};

/* As mdm_mask_visible() of all kinds together, and in *second how many of them are of the second. */
int64_t mdm_mask_visible_kinds(const maskdm_mask *m, const struct mdm_grids *g, int64_t step, int64_t *second);
/* As mdm_mask_draw(); the second kind's patches are counted behind the first's. */
int mdm_mask_draw_kinds(const maskdm_mask *m, const struct mdm_grids *g, int64_t visible, uint64_t seed,
                        int64_t first, int64_t step, int64_t count, int32_t *index);

#endif
