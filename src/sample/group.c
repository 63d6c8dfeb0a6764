/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A group of images that go at once: its program, its buffers, and what the network says of them, guided where the
 * sampler asks for it (Ho and Salimans 2022, arXiv 2207.12598): with label and without, and on along the line that
 * leads from the latter to the former.
 */
#include "sample/sampler.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

enum { BUFFERS = 5 }; /* of a sampler that is not guided */

static int is_guided(const maskdm_sampler *s)
{
    return s->guidance != 1;
}

void mdm_sampler_drop_group(maskdm_sampler *s)
{
    mdm_program_release(&s->program);
    mdm_device_free(s->model->device, s->x, s->bytes);
    mdm_free(s->times);
    s->x = NULL;
    s->times = NULL;
}

int mdm_sampler_ready_group(maskdm_sampler *s, int64_t batch)
{
    const size_t buffers = BUFFERS + (size_t)is_guided(s);
    size_t values;
    void *block;
    int status;

    if (s->program && s->program->extent.batch == batch)
        return MASKDM_OK;
    mdm_sampler_drop_group(s);
    MDM_TRY(mdm_program_create(&s->program, s->model, (struct mdm_extent){.batch = batch}, MDM_PROGRAM_PREDICT));
    if (mdm_mul_size(&values, (size_t)batch, (size_t)s->program->image_values) ||
        mdm_mul_size(&s->bytes, values, buffers * sizeof *s->x))
        return mdm_fail(MASKDM_EINVAL, "%lld images at once are out of range", (long long)batch);
    s->times = mdm_need((size_t)batch, sizeof *s->times, "times of the sampler");
    status =
        s->times ? mdm_device_alloc(s->model->device, &block, s->bytes, 0, "the images of a sampler") : MASKDM_ENOMEM;
    if (status < 0) {
        mdm_sampler_drop_group(s);
        return status;
    }
    s->x = block;
    s->prediction = s->x + values;
    s->noise = s->prediction + values;
    s->x0 = s->noise + values;
    s->x0_before = s->x0 + values;
    s->unlabelled = is_guided(s) ? s->x0_before + values : NULL;
    return MASKDM_OK;
}

static int forward(maskdm_sampler *s, const int32_t *labels, float *out)
{
    MDM_TRY(mdm_program_set(s->program, s->x, s->times, labels, NULL));
    MDM_TRY(
        mdm_program_forward(s->program, mdm_model_block(s->model, s->which), mdm_control_cancel_flag(s->control)));
    return mdm_program_image(s->program, out);
}

int mdm_sampler_predict(maskdm_sampler *s, double time, const int32_t *labels)
{
    const int64_t batch = s->program->extent.batch, n = s->program->image_values;
    int status;

    for (int64_t i = 0; i < batch; i++)
        s->times[i] = time;
    MDM_TRY(mdm_device_enter(s->model->device));
    status = forward(s, labels, s->prediction);
    if (status >= 0 && labels && s->unlabelled)
        status = forward(s, NULL, s->unlabelled);
    mdm_device_leave(s->model->device);
    if (status == MASKDM_ECANCELED)
        return mdm_control_canceled(s->control, "sampling");
    MDM_TRY(status);
    for (int64_t i = 0; labels && s->unlabelled && i < batch * n; i++) {
        const double without = (double)s->unlabelled[i];

        s->prediction[i] = (float)(without + s->guidance * ((double)s->prediction[i] - without));
    }
    return MASKDM_OK;
}
