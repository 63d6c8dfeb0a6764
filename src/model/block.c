/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Blocks of parameters on a device, filled from the host one parameter at a time, so that no second block is held.
 */
#include "model/model.h"

#include "base/alloc.h"
#include "base/error.h"

int mdm_model_clear_gaps(maskdm_device *device, const struct mdm_params *layout, float *block)
{
    for (int i = 0; i < layout->count; i++) {
        size_t at, gap = mdm_params_gap(layout, i, &at);

        if (gap)
            MDM_TRY(mdm_device_fill(device, block + at, 0, gap * sizeof *block));
    }
    return MASKDM_OK;
}

int mdm_model_draw(maskdm_model *m, uint64_t seed)
{
    const struct mdm_params *p = &m->layout;
    int64_t most = 1;
    float *value;
    int status = MASKDM_OK;

    for (int i = 0; i < p->count; i++)
        most = mdm_shape_numel(&p->list[i].shape) > most ? mdm_shape_numel(&p->list[i].shape) : most;
    value = mdm_need_aligned((size_t)most * sizeof *value, "drawing weights");
    if (!value)
        return MASKDM_ENOMEM;
    for (int i = 0; i < p->count && status == MASKDM_OK; i++) {
        mdm_params_draw(p, i, value, seed);
        status = mdm_device_upload(m->device, m->ema + p->list[i].at, value,
                                   (size_t)mdm_shape_numel(&p->list[i].shape) * sizeof *value);
    }
    mdm_free(value);
    return status < 0 ? status : mdm_model_clear_gaps(m->device, p, m->ema);
}
