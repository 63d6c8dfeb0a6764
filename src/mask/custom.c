/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The host's own policy. Its answers index memory later, so each is checked.
 */
#include "base/error.h"
#include "mask/mask.h"

static int64_t visible_custom(const maskdm_mask *m, double ratio, struct mdm_grid grid)
{
    const int64_t patches = grid.rows * grid.columns;
    const int64_t visible = m->custom.visible(m->custom.user, grid.rows, grid.columns);

    (void)ratio;
    if (visible < 0 || visible > patches)
        return mdm_fail(MASKDM_EINVAL, "mask %s wants %lld visible patches of %lld", m->custom.name,
                        (long long)visible, (long long)patches);
    return visible;
}

static int draw_custom(const maskdm_mask *m, struct mdm_grid grid, int64_t visible, struct mdm_rng *stream,
                       int32_t *index)
{
    const int64_t patches = grid.rows * grid.columns;
    const uint64_t high = mdm_rng_u32(stream), random = high << 32 | mdm_rng_u32(stream);
    int64_t last = -1;

    for (int64_t i = 0; i < visible; i++)
        index[i] = -1;
    if (m->custom.draw(m->custom.user, random, grid.rows, grid.columns, index))
        return mdm_fail(MASKDM_ECANCELED, "mask %s cancelled", m->custom.name);
    for (int64_t i = 0; i < visible; i++) {
        if (index[i] <= last || index[i] >= patches)
            return mdm_fail(MASKDM_EINVAL,
                            "mask %s drew patch %lld after %lld at position %lld; indices must rise below %lld",
                            m->custom.name, (long long)index[i], (long long)last, (long long)i, (long long)patches);
        last = index[i];
    }
    return MASKDM_OK;
}

const struct mdm_mask_policy mdm_mask_custom = {
    .name = "custom", .visible = visible_custom, .draw = draw_custom, .purpose = MDM_DRAW_USER};
