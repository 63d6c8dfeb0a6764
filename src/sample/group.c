/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a group of images that go at once needs: who is asked, made ready for so many, and buffers.
 */
#include "sample/sampler.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

void mdm_sampler_drop_group(maskdm_sampler *s)
{
    if (s->denoiser)
        s->denoiser->kind->rest(s->denoiser);
    if (s->device)
        mdm_device_free(s->device, s->x, s->bytes);
    mdm_free(s->streams);
    mdm_free(s->seeds);
    mdm_free(s->limit);
    mdm_free(s->shown);
    mdm_free(s->seen);
    mdm_free(s->other);
    s->x = NULL;
    s->streams = NULL;
    s->seeds = NULL;
    s->limit = NULL;
    s->shown = s->seen = s->other = NULL;
    s->group = 0;
}

size_t mdm_sampler_memory(const maskdm_sampler *s)
{
    return s->group ? s->denoiser->kind->memory(s->denoiser) + s->bytes : 0;
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
                  {&s->before[0], s->method.looks_back > 0},
                  {&s->before[1], s->method.looks_back > 1},
                  {&s->before[2], s->method.looks_back > 2},
                  {&s->start, s->method.keeps},
                  {&s->variance, s->method.learned_variance}};
    size_t count = 0;

    for (size_t i = 0; i < MDM_LENGTH(buffer); i++) {
        *buffer[i].at = buffer[i].wanted && block ? block + count * values : NULL;
        count += (size_t)buffer[i].wanted;
    }
    return count;
}

int mdm_sampler_estimate(size_t *bytes, maskdm_device *device, const char *network, const maskdm_options *options,
                         struct mdm_extent extent)
{
    maskdm_sampler s = {.method = {.looks_back = MDM_BEFORE, .keeps = 1}}; /* no method takes more */
    struct mdm_model_needs needs;
    size_t images;

    MDM_TRY(mdm_model_needs(&needs, device, network, options, 0, extent));
    if (mdm_mul_size(&images, (size_t)needs.values, lay(&s, NULL, 0) * sizeof *s.x) ||
        mdm_mul_size(&images, images, (size_t)extent.batch) || mdm_mul_size(bytes, needs.block, 2) ||
        mdm_add_size(bytes, *bytes, needs.arena) || mdm_add_size(bytes, *bytes, images))
        return mdm_fail(MASKDM_EINVAL, "a batch of %lld images does not fit any memory", (long long)extent.batch);
    return MASKDM_OK;
}

static int take(maskdm_sampler *s, size_t batch, size_t values)
{
    void *block;

    MDM_TRY(s->denoiser->kind->ready(s->denoiser, (int64_t)batch, (int64_t)batch, s->bytes));
    s->streams = mdm_need(batch, sizeof *s->streams, "noise streams of the sampler");
    s->limit = mdm_need(batch, sizeof *s->limit, "limits of the images of a sampler");
    s->shown = mdm_need_aligned(values * sizeof *s->shown, "the images of a sampler");
    s->seeds = mdm_need(batch, sizeof *s->seeds, "seeds of the sampler");
    s->seen = mdm_need_aligned(values * sizeof *s->seen, "the images of a sampler");
    s->other = mdm_need_aligned(values / batch * sizeof *s->other, "noise of an image");
    if (!s->streams || !s->seeds || !s->limit || !s->shown || !s->seen || !s->other)
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_device_alloc(s->device, &block, s->bytes, 0, "the images of a sampler"));
    lay(s, block, values);
    return MASKDM_OK;
}

int mdm_sampler_ready_group(maskdm_sampler *s, int64_t batch)
{
    const size_t image = (size_t)(s->geometry.height * s->geometry.width * s->geometry.channels);
    size_t values;
    int status;

    if (s->group == batch)
        return MASKDM_OK;
    mdm_sampler_drop_group(s);
    if (mdm_mul_size(&values, (size_t)batch, image) ||
        mdm_mul_size(&s->bytes, values, lay(s, NULL, 0) * sizeof *s->x))
        return mdm_fail(MASKDM_EINVAL, "%lld images at once are out of range", (long long)batch);
    status = take(s, (size_t)batch, values);
    if (status == MASKDM_OK)
        s->group = batch;
    else
        mdm_sampler_drop_group(s);
    return status;
}

void mdm_sampler_leave(maskdm_sampler *s, int64_t batch)
{
    const struct mdm_geometry *g = &s->geometry;
    const int64_t n = g->height * g->width * g->channels;
    float *values = s->shown;

    if (!g->space)
        return;
    s->shown = s->seen;
    s->seen = values;
    for (int64_t i = 0; i < batch; i++)
        g->space->leave(s->shown + i * n, values + i * n, g->height, g->width, g->channels);
}
