/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Making, holding and estimating models. The layout of a block comes from recording the network once for one image.
 */
#include "model/model.h"

#include "base/alloc.h"
#include "base/error.h"
#include "diffusion/scheduler.h"
#include "model/adapter.h"
#include "model/program.h"

static void destroy(void *object)
{
    maskdm_model *m = object;

    if (!m->borrowed && m->ema)
        mdm_device_free(m->device, m->ema, mdm_model_bytes(m));
    if (!m->borrowed && m->online)
        mdm_device_free(m->device, m->online, mdm_model_bytes(m));
    mdm_params_free(&m->layout);
    mdm_adapter_free(&m->adapter);
    mdm_labels_free(&m->labels);
    mdm_metadata_free(&m->metadata);
    mdm_scheduler_drop(&m->scheduler);
    mdm_options_release(&m->sampler);
    mdm_options_release(&m->options);
    mdm_device_drop(&m->device);
    mdm_free(m);
}

static const struct mdm_handle_kind kind = {"model", destroy};

static int adopt_adapter(maskdm_model *m, const struct mdm_adapter *adapter)
{
    if (!adapter)
        return MASKDM_OK;
    MDM_TRY(mdm_adapter_clone(&m->adapter, adapter));
    m->layout.adapter = m->adapter;
    return MASKDM_OK;
}

int mdm_model_shell_with(maskdm_model **out, maskdm_device *device, const char *name, const maskdm_options *options,
                         maskdm_scheduler *scheduler, const struct mdm_adapter *adapter)
{
    const struct mdm_network *network = mdm_network_find(name);
    maskdm_model *m;
    size_t arena;
    int status;

    *out = NULL;
    if (!network)
        return mdm_network_fail(name);
    m = mdm_need(1, sizeof *m, "a model");
    if (!m)
        return MASKDM_ENOMEM;
    mdm_handle_init(&m->handle, &kind);
    mdm_device_hold(device);
    m->device = device;
    m->network = network;
    status = mdm_options_extract(&m->options, options, network->kind);
    if (status == MASKDM_OK)
        status = network->geometry(&m->geometry, m->options);
    if (status == MASKDM_OK && scheduler)
        mdm_scheduler_hold(m->scheduler = scheduler);
    else if (status == MASKDM_OK)
        status = mdm_scheduler_create(&m->scheduler, NULL);
    if (status == MASKDM_OK)
        status = adopt_adapter(m, adapter);
    if (status == MASKDM_OK)
        status = mdm_program_estimate(&arena, &m->layout, device, network, m->options,
                                      /* which asks for every parameter */
                                      (struct mdm_extent){
                                          .batch = 1, .visible = m->geometry.patches, .path_drop = 1},
                                      MDM_PROGRAM_PREDICT);
    if (status < 0) {
        mdm_model_drop(&m);
        return status;
    }
    *out = m;
    return MASKDM_OK;
}

int mdm_model_shell(maskdm_model **out, maskdm_device *device, const char *name, const maskdm_options *options,
                    maskdm_scheduler *scheduler)
{
    return mdm_model_shell_with(out, device, name, options, scheduler, NULL);
}

size_t mdm_model_bytes(const maskdm_model *model)
{
    return model->layout.length * sizeof(float);
}

size_t mdm_model_memory(const maskdm_model *m)
{
    const size_t sets = (m->ema != NULL) + (m->online != NULL);

    return m->borrowed ? 0 : sets * mdm_model_bytes(m);
}

/* Both blocks are counted before the first is taken. Whoever fills them leaves zeros in the gaps between parameters.
 */
int mdm_model_take(maskdm_model *m, int two)
{
    size_t bytes = mdm_model_bytes(m);
    void *memory;

    MDM_TRY(mdm_device_take(m->device, bytes * (two ? 2 : 1), "the weights of a model"));
    mdm_device_give(m->device, bytes * (two ? 2 : 1));
    MDM_TRY(mdm_device_alloc(m->device, &memory, bytes, 0, "the weights of a model"));
    m->ema = memory;
    if (!two)
        return MASKDM_OK;
    MDM_TRY(mdm_device_alloc(m->device, &memory, bytes, 0, "the online weights of a model"));
    m->online = memory;
    return MASKDM_OK;
}

int mdm_model_create(maskdm_model **out, maskdm_device *device, const char *network, const maskdm_options *options,
                     maskdm_scheduler *scheduler, uint64_t seed)
{
    int status;

    MDM_TRY(mdm_model_shell(out, device, network, options, scheduler));
    (*out)->past.known = 1;
    status = mdm_model_take(*out, 0);
    if (status == MASKDM_OK)
        status = mdm_model_draw(*out, seed);
    if (status < 0)
        mdm_model_drop(out);
    return status;
}

void mdm_model_hold(maskdm_model *model)
{
    mdm_handle_hold(&model->handle);
}

void mdm_model_drop(maskdm_model **model)
{
    maskdm_model *m = *model;

    *model = NULL;
    if (m)
        mdm_handle_drop(&m->handle);
}

float *mdm_model_block(const maskdm_model *model, enum maskdm_weights which)
{
    return which == MASKDM_WEIGHTS_ONLINE && model->online ? model->online : model->ema;
}

int mdm_model_needs(struct mdm_model_needs *out, maskdm_device *device, const char *network,
                    const maskdm_options *options, int train, struct mdm_extent e)
{
    maskdm_model *m;
    int status;

    MDM_TRY(mdm_model_shell(&m, device, network, options, NULL));
    if (e.visible == 0)
        e.visible = m->geometry.patches;
    if (e.batch < 1 || e.visible < 1 || e.visible > m->geometry.patches)
        status = mdm_fail(MASKDM_EINVAL, "a batch of %lld images with %lld of %lld patches visible is impossible",
                          (long long)e.batch, (long long)e.visible, (long long)m->geometry.patches);
    else {
        status = train ? mdm_network_train(m->network, m->options, &e) : MASKDM_OK;
        if (status == MASKDM_OK)
            status = mdm_program_estimate(&out->arena, &m->layout, device, m->network, m->options, e,
                                          train ? MDM_PROGRAM_TRAIN : MDM_PROGRAM_PREDICT);
    }
    out->block = mdm_model_bytes(m);
    out->values = m->geometry.height * m->geometry.width * m->geometry.channels;
    mdm_model_drop(&m);
    return status;
}

/* The whole prediction of the last forward. */
static int download_image(struct mdm_program *p, float *out)
{
    const size_t bytes = (size_t)(p->extent.batch * p->output_values) * sizeof *out;
    maskdm_device *device = p->model->device;
    void *image;
    int status;

    MDM_TRY(mdm_device_alloc(device, &image, bytes, 0, "a predicted image"));
    status = mdm_program_whole(p, image);
    if (status == MASKDM_OK)
        status = mdm_device_download(device, out, image, bytes);
    mdm_device_free(device, image, bytes);
    return status;
}

/* What the network is given for images [batch,n] at the process's times, and told of these: fresh memory. */
static int scale_input(float **input, double **network_times, const maskdm_model *model, int64_t batch, int64_t n,
                       const float *x_t, const double *times)
{
    const struct mdm_process *p = model->scheduler->process;

    *input = NULL;
    *network_times = mdm_need((size_t)batch, sizeof **network_times, "times");
    if (!*network_times)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < batch; i++) {
        if (!(times[i] >= p->image && times[i] <= p->last))
            return mdm_fail(MASKDM_EINVAL, "time %g of image %lld is outside %g .. %g", times[i], (long long)i,
                            p->image, p->last);
        (*network_times)[i] = p->kind->network_time(p, times[i]);
    }
    *input = mdm_need_aligned((size_t)(batch * n) * sizeof **input, "the network's input");
    if (!*input)
        return MASKDM_ENOMEM;
    for (int64_t i = 0; i < batch; i++)
        mdm_mix_on_host(&(struct mdm_mix){.n = n,
                                          .count = 1,
                                          .x = {x_t + i * n},
                                          .a = {mdm_process_input_scale(p, times[i])},
                                          .y = *input + i * n});
    return MASKDM_OK;
}

int mdm_model_predict(maskdm_model *model, enum maskdm_weights which, struct mdm_extent extent, const float *x_t,
                      const double *times, const int32_t *labels, const int32_t *index, float *out)
{
    struct mdm_program *p;
    double *network_times;
    float *input;
    int status;

    extent.second = mdm_geometry_count(&model->geometry, extent.visible, index);
    MDM_TRY(mdm_program_create(&p, model, extent, MDM_PROGRAM_PREDICT));
    status = scale_input(&input, &network_times, model, extent.batch, p->image_values, x_t, times);
    if (status == MASKDM_OK)
        status = mdm_device_upload(model->device, mdm_program_input(p), input,
                                   (size_t)(extent.batch * p->image_values) * sizeof *input);
    if (status == MASKDM_OK)
        status = mdm_program_set(p, mdm_program_input(p), network_times, labels, index);
    mdm_free(input);
    mdm_free(network_times);
    if (status == MASKDM_OK)
        status = mdm_device_enter(model->device);
    if (status == MASKDM_OK) {
        status = mdm_program_forward(p, mdm_model_block(model, which), NULL);
        if (status == MASKDM_OK && !index)
            status = download_image(p, out);
        else if (status == MASKDM_OK)
            status = mdm_device_download(model->device, out, mdm_program_output(p),
                                         (size_t)(extent.batch * p->output_values) * sizeof *out);
        mdm_device_leave(model->device);
    }
    mdm_program_release(&p);
    return status;
}
