/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A model without the input channel that tells hidden pixels: on whole images its weights met zeros, so that nothing
 * is missing where they are.
 */
#include "model/model.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

int mdm_model_has_mask_channel(const maskdm_model *model)
{
    const struct mdm_mask_channel *c = model->network->mask_channel;

    return c && !strcmp(mdm_options_text(model->options, c->option), "true");
}

/* The weights [O,I,taps] from one block to [O,I-1,taps] in another, by way of the host. */
static int copy_less(maskdm_device *device, float *to, const float *from, const struct mdm_shape *shape)
{
    const int64_t made = shape->d[0], row = mdm_shape_numel(shape) / made;
    const int64_t kept = row / shape->d[1] * (shape->d[1] - 1);
    const size_t bytes = (size_t)(made * row) * sizeof(float);
    float *host = mdm_need_aligned(bytes, "the first convolution");
    int status;

    if (!host)
        return MASKDM_ENOMEM;
    status = mdm_device_download(device, host, from, bytes);
    for (int64_t o = 1; o < made && status >= 0; o++)
        memmove(host + o * kept, host + o * row, (size_t)kept * sizeof(float));
    if (status >= 0)
        status = mdm_device_upload(device, to, host, (size_t)(made * kept) * sizeof(float));
    mdm_free(host);
    return status;
}

static int copy_block(const maskdm_model *to, float *block, const maskdm_model *from, const float *given)
{
    const char *tensor = from->network->mask_channel->tensor;

    for (int i = 0; i < from->layout.count; i++) {
        const struct mdm_param *p = &from->layout.list[i];
        const int at = mdm_params_find(&to->layout, p->name);

        if (at < 0)
            return mdm_fail(MASKDM_ESHAPE, "parameter %s has no place", p->name);
        if (!strcmp(p->name, tensor))
            MDM_TRY(copy_less(to->device, block + to->layout.list[at].at, given + p->at, &p->shape));
        else
            MDM_TRY(mdm_device_copy(to->device, block + to->layout.list[at].at, given + p->at,
                                    (size_t)mdm_shape_numel(&p->shape) * sizeof(float)));
    }
    return mdm_model_clear_gaps(to->device, &to->layout, block);
}

int mdm_model_fold(maskdm_model **out, const maskdm_model *model)
{
    maskdm_options *o = NULL;
    int status;

    *out = NULL;
    MDM_TRY(mdm_device_need_float(model->device, "folding a channel away"));
    MDM_TRY(mdm_options_clone(&o, model->options));
    status = mdm_options_set(o, model->network->mask_channel->option, "false");
    if (status >= 0)
        status = mdm_model_like(out, model, o);
    if (status >= 0)
        status = mdm_model_take(*out, model->online != NULL);
    if (status >= 0)
        status = copy_block(*out, (*out)->ema, model, model->ema);
    if (status >= 0 && model->online)
        status = copy_block(*out, (*out)->online, model, model->online);
    mdm_options_release(&o);
    if (status < 0)
        mdm_model_drop(out);
    return status;
}
