/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Making, holding and estimating models. The layout of a block comes from recording the network once for one image.
 */
#include "model/model.h"

#include "diffusion/scheduler.h"
#include "model/program.h"
#include "util/alloc.h"
#include "util/checked.h"
#include "util/error.h"

#include <string.h>

static void destroy(void *object)
{
    maskdm_model *m = object;

    if (!m->borrowed && m->ema)
        maskdm_device_free(m->device, m->ema, maskdm_weights_bytes(m));
    if (!m->borrowed && m->online)
        maskdm_device_free(m->device, m->online, maskdm_weights_bytes(m));
    maskdm_params_free(&m->layout);
    maskdm_labels_free(&m->labels);
    maskdm_diffusion_drop(&m->scheduler);
    maskdm_optionset_release(&m->options);
    maskdm_device_drop(&m->device);
    maskdm_free(m);
}

static const struct maskdm_handle_kind kind = {"model", destroy};

int maskdm_weights_shell(maskdm_model **out, maskdm_device *device, const char *name, const maskdm_options *options,
                         maskdm_scheduler *scheduler)
{
    const struct maskdm_network *network = maskdm_network_find(name);
    maskdm_model *m;
    size_t arena;
    int status;

    *out = NULL;
    if (!network)
        return maskdm_fail(MASKDM_ENOTFOUND, "there is no network \"%s\"; there is \"uvit\"", name);
    m = maskdm_need(1, sizeof *m, "a model");
    if (!m)
        return MASKDM_ENOMEM;
    maskdm_handle_init(&m->handle, &kind);
    maskdm_device_hold(device);
    m->device = device;
    m->network = network;
    status = maskdm_optionset_extract(&m->options, options, network->kind);
    if (status == MASKDM_OK)
        status = network->geometry(&m->geometry, m->options);
    if (status == MASKDM_OK && scheduler)
        maskdm_diffusion_hold(m->scheduler = scheduler);
    else if (status == MASKDM_OK)
        status = maskdm_diffusion_create(&m->scheduler, NULL);
    if (status == MASKDM_OK)
        status = maskdm_program_estimate(&arena, &m->layout, device, network, m->options, 1, m->geometry.patches,
                                         MASKDM_PROGRAM_PREDICT);
    if (status < 0) {
        maskdm_weights_drop(&m);
        return status;
    }
    *out = m;
    return MASKDM_OK;
}

size_t maskdm_weights_bytes(const maskdm_model *model)
{
    return model->layout.length * sizeof(float);
}

/* Both blocks are counted before the first is taken. Whoever fills them leaves zeros in the gaps between parameters.
 */
int maskdm_weights_take(maskdm_model *m, int two)
{
    size_t bytes = maskdm_weights_bytes(m);
    void *memory;

    MASKDM_TRY(maskdm_device_take(m->device, bytes * (two ? 2 : 1), "the weights of a model"));
    maskdm_device_give(m->device, bytes * (two ? 2 : 1));
    MASKDM_TRY(maskdm_device_alloc(m->device, &memory, bytes, 0, "the weights of a model"));
    m->ema = memory;
    if (!two)
        return MASKDM_OK;
    MASKDM_TRY(maskdm_device_alloc(m->device, &memory, bytes, 0, "the online weights of a model"));
    m->online = memory;
    return MASKDM_OK;
}

int maskdm_weights_create(maskdm_model **out, maskdm_device *device, const char *network,
                          const maskdm_options *options, maskdm_scheduler *scheduler, uint64_t seed)
{
    int status;

    MASKDM_TRY(maskdm_weights_shell(out, device, network, options, scheduler));
    status = maskdm_weights_take(*out, 0);
    if (status < 0)
        maskdm_weights_drop(out);
    else
        maskdm_params_init(&(*out)->layout, (*out)->ema, seed);
    return status;
}

/* A shell that describes itself as `model` does. */
static int like(maskdm_model **out, const maskdm_model *model)
{
    int status;

    MASKDM_TRY(maskdm_weights_shell(out, model->device, model->network->name, model->options, model->scheduler));
    status = maskdm_labels_set(&(*out)->labels, (const char *const *)model->labels.name, model->labels.count,
                               model->geometry.classes);
    if (status < 0)
        maskdm_weights_drop(out);
    return status;
}

int maskdm_weights_view(maskdm_model **out, const maskdm_model *model, float *ema, float *online)
{
    MASKDM_TRY(like(out, model));
    (*out)->borrowed = 1;
    (*out)->ema = ema;
    (*out)->online = online;
    return MASKDM_OK;
}

int maskdm_weights_copy(maskdm_model **out, const maskdm_model *model)
{
    size_t bytes = maskdm_weights_bytes(model);
    int status;

    MASKDM_TRY(like(out, model));
    status = maskdm_weights_take(*out, model->online != NULL);
    if (status < 0) {
        maskdm_weights_drop(out);
        return status;
    }
    memcpy((*out)->ema, model->ema, bytes);
    if (model->online)
        memcpy((*out)->online, model->online, bytes);
    return MASKDM_OK;
}

void maskdm_weights_hold(maskdm_model *model)
{
    maskdm_handle_hold(&model->handle);
}

void maskdm_weights_drop(maskdm_model **model)
{
    maskdm_model *m = *model;

    *model = NULL;
    if (m)
        maskdm_handle_drop(&m->handle);
}

float *maskdm_weights_block(const maskdm_model *model, enum maskdm_weights which)
{
    return which == MASKDM_WEIGHTS_ONLINE && model->online ? model->online : model->ema;
}

/* A trainer holds weights, gradients, two moments and the average, and x_0, noise, x_t and target of a micro-batch; a
 * sampler its images, their predictions with and without label, noise and two clean ones, beside a model that has two
 * sets of weights where it was trained. */
int maskdm_weights_estimate(size_t *bytes, maskdm_device *device, const char *network, const maskdm_options *options,
                            int train, int64_t batch, int64_t visible)
{
    maskdm_model *m;
    size_t arena, sum, images;
    int status, blocks = train ? 5 : 2;

    *bytes = 0;
    MASKDM_TRY(maskdm_weights_shell(&m, device, network, options, NULL));
    if (visible == 0)
        visible = m->geometry.patches;
    if (batch < 1 || visible < 1 || visible > m->geometry.patches)
        status = maskdm_fail(MASKDM_EINVAL, "a batch of %lld images with %lld of %lld patches visible is impossible",
                             (long long)batch, (long long)visible, (long long)m->geometry.patches);
    else
        status = maskdm_program_estimate(&arena, &m->layout, device, m->network, m->options, batch, visible,
                                         train ? MASKDM_PROGRAM_TRAIN : MASKDM_PROGRAM_PREDICT);
    if (status == MASKDM_OK) {
        images = (size_t)(m->geometry.height * m->geometry.width * m->geometry.channels) * sizeof(float);
        if (maskdm_mul_size(&images, images, (size_t)batch) || maskdm_mul_size(&images, images, train ? 4 : 6) ||
            maskdm_mul_size(&sum, maskdm_weights_bytes(m), (size_t)blocks) || maskdm_add_size(&sum, sum, arena) ||
            maskdm_add_size(bytes, sum, images))
            status = maskdm_fail(MASKDM_EINVAL, "a batch of %lld images does not fit any memory", (long long)batch);
    }
    maskdm_weights_drop(&m);
    return status;
}

int maskdm_weights_predict(maskdm_model *model, enum maskdm_weights which, int64_t batch, const float *x_t,
                           const double *times, const int32_t *labels, const int32_t *index, int64_t visible,
                           float *out)
{
    struct maskdm_program *p;
    struct maskdm_backend *b = maskdm_device_backend(model->device);
    int64_t last = model->scheduler->schedule.timesteps;
    int status;

    MASKDM_TRY(maskdm_program_create(&p, model, batch, index ? visible : 0, MASKDM_PROGRAM_PREDICT));
    status = maskdm_program_set(p, x_t, times, labels, index);
    for (int64_t i = 0; i < batch && status == MASKDM_OK; i++)
        if (times[i] < -1 || times[i] > (double)last)
            status = maskdm_fail(MASKDM_EINVAL, "time %g of image %lld is outside -1 .. %lld", times[i], (long long)i,
                                 (long long)last);
    if (status == MASKDM_OK)
        status = maskdm_device_enter(model->device);
    if (status == MASKDM_OK) {
        status = maskdm_program_forward(p, maskdm_weights_block(model, which), NULL);
        if (status == MASKDM_OK && !index)
            status = maskdm_program_image(p, out);
        else if (status == MASKDM_OK)
            status =
                b->v->download(b, out, maskdm_program_output(p), (size_t)(batch * p->output_values) * sizeof *out);
        maskdm_device_leave(model->device);
    }
    maskdm_program_release(&p);
    return status;
}
