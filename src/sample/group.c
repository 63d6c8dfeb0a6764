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

static int is_guided(const maskdm_sampler *s)
{
    return s->guidance != 1;
}

void mdm_sampler_drop_group(maskdm_sampler *s)
{
    mdm_program_release(&s->program);
    mdm_device_free(s->model->device, s->x, s->bytes);
    mdm_free(s->times);
    mdm_free(s->streams);
    mdm_free(s->shown);
    s->x = NULL;
    s->times = NULL;
    s->streams = NULL;
    s->shown = NULL;
}

size_t mdm_sampler_memory(const maskdm_sampler *s)
{
    return s->program ? s->program->arena_bytes + s->bytes : 0;
}

/* Lay the buffers that are needed one behind the other; returns their number, with `block` NULL too. */
static size_t lay(maskdm_sampler *s, float *block, size_t values)
{
    const struct {
        float **at;
        int wanted;
    } buffer[] = {{&s->x, 1},
                  {&s->prediction, 1},
                  {&s->x0, 1},
                  {&s->spare, 1},
                  {&s->before, s->method.kind->looks_back},
                  {&s->start, s->method.kind->begins}};
    size_t count = 0;

    for (size_t i = 0; i < MDM_LENGTH(buffer); i++) {
        *buffer[i].at = buffer[i].wanted && block ? block + count * values : NULL;
        count += (size_t)buffer[i].wanted;
    }
    return count;
}

static int take(maskdm_sampler *s, size_t batch, size_t values)
{
    void *block;

    s->times = mdm_need(batch, sizeof *s->times, "times of the sampler");
    s->streams = mdm_need(batch, sizeof *s->streams, "noise streams of the sampler");
    s->shown = mdm_need_aligned(values * sizeof *s->shown, "the images of a sampler");
    if (!s->times || !s->streams || !s->shown)
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_device_alloc(s->model->device, &block, s->bytes, 0, "the images of a sampler"));
    lay(s, block, values);
    return MASKDM_OK;
}

int mdm_sampler_ready_group(maskdm_sampler *s, int64_t batch)
{
    const struct mdm_extent e = {.batch = batch, .visible = s->model->geometry.patches};
    size_t values;
    int status;

    if (s->program && s->program->extent.batch == batch)
        return MASKDM_OK;
    mdm_sampler_drop_group(s);
    MDM_TRY(mdm_program_create(&s->program, s->model, e, MDM_PROGRAM_PREDICT));
    if (mdm_mul_size(&values, (size_t)batch, (size_t)s->program->image_values) ||
        mdm_mul_size(&s->bytes, values, lay(s, NULL, 0) * sizeof *s->x))
        return mdm_fail(MASKDM_EINVAL, "%lld images at once are out of range", (long long)batch);
    status = take(s, (size_t)batch, values);
    if (status < 0)
        mdm_sampler_drop_group(s);
    return status;
}

static int forward(maskdm_sampler *s, const float *input, const int32_t *labels, float *out)
{
    MDM_TRY(mdm_program_set(s->program, input, s->times, labels, NULL));
    MDM_TRY(
        mdm_program_forward(s->program, mdm_model_block(s->model, s->which), mdm_control_cancel_flag(s->control)));
    return mdm_program_image(s->program, out);
}

int mdm_sampler_predict(maskdm_sampler *s, double time, const int32_t *labels)
{
    struct mdm_backend *b = mdm_device_backend(s->model->device);
    const struct mdm_facts f = mdm_scheduler_facts(s->model->scheduler, time);
    const int64_t batch = s->program->extent.batch, n = batch * s->program->image_values;
    const float *input = f.input_scale == 1 ? s->x : s->x0;
    const struct mdm_mix scaled = {.n = n, .count = 1, .x = {s->x}, .a = {f.input_scale}, .y = s->x0};
    const struct mdm_mix guided = {
        .n = n, .count = 2, .x = {s->spare, s->prediction}, .a = {1 - s->guidance, s->guidance}, .y = s->prediction};

    for (int64_t i = 0; i < batch; i++)
        s->times[i] = f.network_time;
    if (input != s->x)
        MDM_TRY(b->v->mix(b, &scaled));
    MDM_TRY(forward(s, input, labels, s->prediction));
    if (!labels || !is_guided(s))
        return MASKDM_OK;
    MDM_TRY(forward(s, input, NULL, s->spare));
    return b->v->mix(b, &guided);
}
