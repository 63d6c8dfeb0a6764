/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A workload for a peer: one tensor file with the weights, a batch with its noise, and the loss that the library
 * finds, so that the peer can show that it computes the same before it is timed.
 */
#include "bench.h"

#include "tensorfile/safetensors.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

int export_weights(const maskdm_model *model)
{
    float *block = mdm_model_block(model, MASKDM_WEIGHTS_ONLINE);

    for (int i = 0; i < model->layout.count; i++) {
        const struct mdm_param *p = &model->layout.list[i];
        const size_t n = (size_t)mdm_shape_numel(&p->shape);
        float *values;
        int rc;

        if (p->init != MDM_INIT_ZERO)
            continue;
        if (!(values = malloc(n * sizeof *values)))
            return MASKDM_ENOMEM;
        for (size_t k = 0; k < n; k++)
            values[k] = (float)((uint32_t)k * 2654435761u >> 16) / 3e6f - 0.01f;
        rc = mdm_device_upload(model->device, block + p->at, values, n * sizeof *values);
        free(values);
        MDM_TRY(rc);
    }
    return MASKDM_OK;
}

/* What a file says of a batch: images and times, who is visible, and a loss. */
struct batch {
    const float *x_t, *target; /* of `images` */
    const struct mdm_tensorfile_source *images;
    const double *times;
    const int32_t *index;
    int64_t visible;
};

/* peer.x_t, peer.target [B,H,W,C]; peer.times [B]; peer.index [B,K]; peer.loss [1]. */
static int add_batch(struct mdm_safetensors_writer *f, const struct batch *a, const struct workload *w,
                     const double *loss)
{
    const int64_t image[4] = {w->batch, w->side, w->side, 3}, index[2] = {w->batch, a->visible}, one = 1;

    MDM_TRY(mdm_safetensors_writer_add_from(f, "peer.x_t", "F32", image, 4, a->x_t, a->images));
    MDM_TRY(mdm_safetensors_writer_add_from(f, "peer.target", "F32", image, 4, a->target, a->images));
    MDM_TRY(mdm_safetensors_writer_add(f, "peer.times", "F64", image, 1, a->times));
    MDM_TRY(mdm_safetensors_writer_add(f, "peer.index", "I32", index, 2, a->index));
    return mdm_safetensors_writer_add(f, "peer.loss", "F64", &one, 1, loss);
}

static int save(const char *path, maskdm_device *dev, const struct mdm_params *layout, const float *weights,
                const struct batch *a, const struct workload *w, const double *loss)
{
    const struct mdm_tensorfile_source source = mdm_model_source(dev);
    struct mdm_safetensors_writer *f = NULL;
    int rc = mdm_safetensors_writer_create(&f);

    if (rc == 0 && (rc = mdm_model_write_block(f, &source, layout, "", weights)) == 0 &&
        (rc = add_batch(f, a, w, loss)) == 0)
        rc = mdm_safetensors_writer_save(f, path, 0);
    mdm_safetensors_writer_release(&f);
    return rc;
}

int export_batch(const struct bench *b, const struct workload *w, const char *path, double *loss)
{
    const struct maskdm_trainer *tr = b->trainer;
    const struct mdm_tensorfile_source source = mdm_model_source(b->dev);

    MDM_TRY(maskdm_trainer_draw(b->trainer, b->data, 0));
    MDM_TRY(maskdm_trainer_forward(b->trainer));
    MDM_TRY(maskdm_trainer_loss(b->trainer, loss));
    return save(path, b->dev, &tr->model->layout, tr->weights,
                &(struct batch){.x_t = tr->micro.input,
                                .target = tr->micro.target,
                                .images = &source,
                                .times = tr->micro.times,
                                .index = tr->micro.index,
                                .visible = tr->visible},
                w, loss);
}

/* The target is zero. */
static int predict(const struct bench *b, const struct workload *w, struct batch *a, float *x, double *times,
                   int32_t *index, float *out, double *loss)
{
    const int64_t n = w->batch * w->side * w->side * 3;

    for (int64_t i = 0; i < n; i++)
        x[i] = (float)((uint32_t)i * 2654435761u >> 16) / 32768 - 1;
    for (int64_t i = 0; i < w->batch; i++)
        times[i] = 500;
    for (int64_t i = 0; i < w->batch * a->visible; i++)
        index[i] = (int32_t)(i % a->visible);
    MDM_TRY(maskdm_model_predict(b->model, MASKDM_WEIGHTS_EMA, w->batch, x, times, NULL, NULL, 0, out));
    *loss = 0;
    for (int64_t i = 0; i < n; i++) {
        *loss += (double)out[i] * (double)out[i] / (double)n;
        out[i] = 0;
    }
    return MASKDM_OK;
}

static int read_host(void *unused, void *out, const void *data, size_t bytes)
{
    (void)unused;
    memcpy(out, data, bytes);
    return MASKDM_OK;
}

int export_prediction(const struct bench *b, const struct workload *w, const char *path, double *loss)
{
    const int64_t patches = b->model->geometry.patches, n = w->batch * w->side * w->side * 3;
    const struct mdm_tensorfile_source source = {read_host, NULL};
    float *x = malloc((size_t)n * sizeof *x), *out = malloc((size_t)n * sizeof *out);
    double *times = malloc((size_t)w->batch * sizeof *times);
    int32_t *index = malloc((size_t)(w->batch * patches) * sizeof *index);
    struct batch a = {x, out, &source, times, index, patches};
    int rc = x && out && times && index ? 0 : MASKDM_ENOMEM;

    if (rc == 0 && (rc = predict(b, w, &a, x, times, index, out, loss)) == 0)
        rc = save(path, b->dev, &b->model->layout, mdm_model_block(b->model, MASKDM_WEIGHTS_EMA), &a, w, loss);
    free(x);
    free(out);
    free(times);
    free(index);
    return rc;
}

int run_export(const struct workload *w, const struct settings *s)
{
    struct bench b;
    double loss;
    int rc = bench_open(&b, w, s, s->threads);

    if (rc == 0)
        rc = export_batch(&b, w, s->export, &loss);
    if (rc < 0)
        bench_failed(w);
    bench_close(&b);
    return rc < 0;
}
