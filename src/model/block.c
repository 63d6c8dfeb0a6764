/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Blocks of parameters on a device, filled from the host one parameter at a time, so that no second block is held.
 */
#include "model/model.h"

#include "base/alloc.h"
#include "base/error.h"
#include "model/rounding.h"

enum { PIECE = 4096 }; /* values of 16 bits */

int mdm_model_clear_gaps(maskdm_device *device, const struct mdm_params *layout, float *block)
{
    for (int i = 0; i < layout->count; i++) {
        size_t at, gap = mdm_params_gap(layout, i, &at);

        if (gap)
            MDM_TRY(mdm_device_fill(device, block + at, 0, gap * sizeof *block));
    }
    return MASKDM_OK;
}

/* Where value `from` of a parameter that is stored in 16 bits lies. */
static uint16_t *place_half(const struct mdm_param *p, float *block, int64_t from)
{
    return (uint16_t *)(block + p->at) + from;
}

int mdm_model_put(maskdm_device *device, const struct mdm_param *p, float *block, int64_t from, const float *value,
                  int64_t n)
{
    const struct mdm_rounding *r = mdm_rounding_to(p->stored);
    uint16_t half[PIECE];

    if (!r)
        return mdm_device_upload(device, block + p->at + from, value, (size_t)n * sizeof *value);
    for (int64_t k = 0, now; k < n; k += now) {
        now = n - k < PIECE ? n - k : PIECE;
        MDM_TRY(mdm_rounding_apply(r, half, p->name, value + k, now, from + k, mdm_shape_numel(&p->shape)));
        MDM_TRY(mdm_device_upload(device, place_half(p, block, from + k), half, (size_t)now * sizeof *half));
    }
    return MASKDM_OK;
}

int mdm_model_get(maskdm_device *device, const struct mdm_param *p, float *block, float *value)
{
    const struct mdm_rounding *r = mdm_rounding_to(p->stored);
    const int64_t n = mdm_shape_numel(&p->shape);
    uint16_t half[PIECE];

    if (!r)
        return mdm_device_download(device, value, block + p->at, (size_t)n * sizeof *value);
    for (int64_t k = 0, now; k < n; k += now) {
        now = n - k < PIECE ? n - k : PIECE;
        MDM_TRY(mdm_device_download(device, half, place_half(p, block, k), (size_t)now * sizeof *half));
        for (int64_t i = 0; i < now; i++)
            value[k + i] = r->value(half[i]);
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
        status = mdm_model_put(m->device, &p->list[i], m->ema, 0, value, mdm_shape_numel(&p->list[i].shape));
    }
    mdm_free(value);
    return status < 0 ? status : mdm_model_clear_gaps(m->device, p, m->ema);
}
