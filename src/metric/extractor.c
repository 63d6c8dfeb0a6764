/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running a feature network: a group of images at a time, each of which has the features that it has alone.
 */
#include "metric/extractor.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "data/data.h"

#include <string.h>

/* Of the random weights, for ever. */
static const uint64_t seed = 20151205;

static void destroy(void *object)
{
    maskdm_extractor *e = object;

    if (e->weights)
        mdm_device_free(e->device, e->weights, e->weight_bytes);
    if (e->arena)
        mdm_device_free(e->device, e->arena, e->arena_bytes);
    mdm_graph_free(&e->graph);
    mdm_params_free(&e->layout);
    mdm_free(e->staged);
    mdm_free(e->rows);
    mdm_device_drop(&e->device);
    mdm_free(e);
}

static const struct mdm_handle_kind kind = {"extractor", destroy};

void mdm_extractor_drop(maskdm_extractor **out)
{
    maskdm_extractor *e = *out;

    *out = NULL;
    if (e)
        mdm_handle_drop(&e->handle);
}

static int record(maskdm_extractor *e)
{
    const struct mdm_extractor_class *k = e->kind;
    struct mdm_graph *g = &e->graph;

    mdm_graph_init(g, mdm_device_backend(e->device), &e->layout, MDM_F32);
    g->images = k->batch;
    e->image = mdm_graph_input(g, MDM_F32, mdm_shape4(k->batch, k->side, k->side, MDM_EXTRACTOR_CHANNELS));
    e->output = k->record(g, e->image);
    mdm_graph_output(g, e->output);
    return mdm_graph_plan(g, 0);
}

static int take(maskdm_extractor *e)
{
    const struct mdm_extractor_class *k = e->kind;
    const size_t pixels = (size_t)(k->batch * k->side * k->side * MDM_EXTRACTOR_CHANNELS);
    void *memory;

    MDM_TRY(mdm_device_alloc(e->device, &memory, e->layout.length * sizeof(float), 1, "the weights of features"));
    e->weights = memory;
    e->weight_bytes = e->layout.length * sizeof(float);
    MDM_TRY(mdm_device_alloc(e->device, &e->arena, e->graph.arena_bytes, 0, "the arena of features"));
    e->arena_bytes = e->graph.arena_bytes;
    mdm_graph_bind(&e->graph, e->arena);
    e->staged = mdm_need_aligned(pixels * sizeof *e->staged, "images on their way to features");
    e->rows = mdm_need_aligned((size_t)(k->batch * k->width) * sizeof *e->rows, "features");
    return e->staged && e->rows ? MASKDM_OK : MASKDM_ENOMEM;
}

int mdm_extractor_shell(maskdm_extractor **out, maskdm_device *device, const struct mdm_extractor_class *class)
{
    maskdm_extractor *e;
    int status;

    *out = NULL;
    if (mdm_device_rounds(device))
        return mdm_fail(MASKDM_ENOTSUP,
                        "features are of products in float32, whose factors a device with compute tf32 "
                        "rounds to 10 bits; float32 and bfloat16 leave them whole");
    e = mdm_need(1, sizeof *e, "a feature network");
    if (!e)
        return MASKDM_ENOMEM;
    mdm_handle_init(&e->handle, &kind);
    mdm_device_hold(device);
    e->device = device;
    e->kind = class;
    status = record(e);
    if (status >= 0)
        status = take(e);
    if (status < 0)
        mdm_extractor_drop(&e);
    *out = e;
    return status;
}

int mdm_extractor_fill(maskdm_extractor *e, const float *block)
{
    struct mdm_digest d;
    char text[17];

    mdm_digest_start(&d);
    for (int i = 0; i < e->layout.count; i++)
        mdm_digest_add(&d, block + e->layout.list[i].at,
                       (size_t)mdm_shape_numel(&e->layout.list[i].shape) * sizeof *block);
    mdm_digest_text(&d, text);
    mdm_format(e->name, sizeof e->name, "%s %s", e->kind->name, text);
    return mdm_device_upload(e->device, e->weights, block, e->weight_bytes);
}

int mdm_extractor_create(maskdm_extractor **out, maskdm_device *device)
{
    float *block;
    int status;

    MDM_TRY(mdm_extractor_shell(out, device, &mdm_extractor_random));
    block = mdm_need((*out)->layout.length, sizeof *block, "the weights of features");
    status = block ? MASKDM_OK : MASKDM_ENOMEM;
    if (block) {
        mdm_params_init(&(*out)->layout, block, seed);
        status = mdm_extractor_fill(*out, block);
    }
    mdm_free(block);
    if (status < 0)
        mdm_extractor_drop(out);
    return status;
}

/* ---- running ---- */

struct group {
    maskdm_extractor *e;
    const float *images;
    int64_t height, width;
    int channels;
};

void mdm_extractor_stage(maskdm_extractor *e, int64_t place, int64_t height, int64_t width, int channels,
                         const float *image)
{
    const int64_t side = e->kind->side;

    mdm_bilinear(e->staged + place * side * side * MDM_EXTRACTOR_CHANNELS, side, image, height, width, channels);
}

static int bring(void *arg, int64_t i, int worker)
{
    const struct group *g = arg;

    (void)worker;
    mdm_extractor_stage(g->e, i, g->height, g->width, g->channels,
                        g->images + i * g->height * g->width * g->channels);
    return MASKDM_OK;
}

/* Places behind the last image are zeros, and nobody looks at what comes of them. */
static int forward(maskdm_extractor *e, int64_t count, float *rows, const atomic_int *cancel)
{
    const struct mdm_extractor_class *k = e->kind;
    const size_t values = (size_t)(k->side * k->side * MDM_EXTRACTOR_CHANNELS);

    memset(e->staged + (size_t)count * values, 0, (size_t)(k->batch - count) * values * sizeof *e->staged);
    MDM_TRY(mdm_device_upload(e->device, mdm_graph_data(&e->graph, e->image), e->staged,
                              (size_t)k->batch * values * sizeof *e->staged));
    MDM_TRY(mdm_graph_forward(&e->graph, e->weights, cancel));
    return mdm_device_download(e->device, rows, mdm_graph_data(&e->graph, e->output),
                               (size_t)(count * k->width) * sizeof *rows);
}

int mdm_extractor_flush(maskdm_extractor *e, int64_t count, float *rows, maskdm_control *control)
{
    int status;

    MDM_TRY(mdm_device_enter(e->device));
    status = forward(e, count, rows, mdm_control_cancel_flag(control));
    mdm_device_leave(e->device);
    return status == MASKDM_ECANCELED ? mdm_control_canceled(control, "looking at images") : status;
}

int mdm_extractor_check_channels(int64_t channels)
{
    return channels == 1 || channels == MDM_EXTRACTOR_CHANNELS
               ? MASKDM_OK
               : mdm_fail(MASKDM_ESHAPE, "images of %lld channels have no features here: 1 or 3 are looked at",
                          (long long)channels);
}

int mdm_extractor_run(maskdm_extractor *e, int64_t count, int64_t height, int64_t width, int channels,
                      const float *images, float *rows, maskdm_control *control)
{
    struct group g = {.e = e, .height = height, .width = width, .channels = channels};

    MDM_TRY(mdm_extractor_check_channels(channels));
    for (int64_t first = 0; first < count; first += e->kind->batch) {
        const int64_t left = count - first, n = left < e->kind->batch ? left : e->kind->batch;
        int status;

        g.images = images + first * height * width * channels;
        MDM_TRY(mdm_device_enter(e->device));
        status = mdm_device_loop(e->device, n, bring, &g);
        mdm_device_leave(e->device);
        MDM_TRY(status);
        MDM_TRY(mdm_extractor_flush(e, n, rows + first * e->kind->width, control));
    }
    return MASKDM_OK;
}

static int look_at_all(maskdm_extractor *e, maskdm_data *data, int64_t count, float *images, maskdm_control *control,
                       mdm_extractor_sink *sink, void *user)
{
    const int64_t n = mdm_data_elements(data);

    for (int64_t first = 0; first < count; first += e->kind->batch) {
        const int64_t left = count - first, group = left < e->kind->batch ? left : e->kind->batch;
        struct maskdm_progress progress = mdm_progress_blank();

        for (int64_t i = 0; i < group; i++)
            MDM_TRY(mdm_data_get(data, first + i, images + i * n, NULL));
        MDM_TRY(mdm_extractor_run(e, group, data->height, data->width, data->channels, images, e->rows, control));
        MDM_TRY(sink(user, group, e->rows));
        progress.step = progress.images = first + group;
        progress.steps = count;
        mdm_control_report(control, &progress);
        MDM_TRY(mdm_control_check(control, "looking at images"));
    }
    return MASKDM_OK;
}

int mdm_extractor_each(maskdm_extractor *e, maskdm_data *data, int64_t count, maskdm_control *control,
                       mdm_extractor_sink *sink, void *user)
{
    const int64_t all = count > 0 && count < data->count ? count : data->count;
    float *images = mdm_need((size_t)e->kind->batch, (size_t)mdm_data_elements(data) * sizeof *images, "images");
    int status = images ? look_at_all(e, data, all, images, control, sink, user) : MASKDM_ENOMEM;

    mdm_free(images);
    return status;
}

static int keep(void *features, int64_t count, const float *rows)
{
    return mdm_features_add(features, count, rows);
}

int mdm_extractor_features(maskdm_features **out, maskdm_extractor *e, maskdm_data *data, int64_t count,
                           maskdm_control *control)
{
    int status;

    MDM_TRY(mdm_features_create(out, e->device, e->kind->width));
    memcpy((*out)->name, e->name, sizeof e->name);
    status = mdm_extractor_each(e, data, count, control, keep, *out);
    if (status < 0)
        mdm_features_drop(out);
    return status;
}
