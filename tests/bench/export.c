/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A training workload for a peer: one tensor file with the weights, a batch with its noise, and the loss that the
 * library finds, so that the peer can show that it computes the same before it is timed.
 */
#include "bench.h"

#include "tensorfile/safetensors.h"
#include "train/trainer.h"

#include <stdio.h>

/* Weights that begin as zero hide what lies behind them: a peer would agree with whatever it has there. */
static void fill_zeros(const struct maskdm_trainer *tr)
{
    const struct mdm_params *layout = &tr->model->layout;

    for (int i = 0; i < layout->count; i++) {
        const struct mdm_param *p = &layout->list[i];

        for (int64_t k = 0; p->init == MDM_INIT_ZERO && k < mdm_shape_numel(&p->shape); k++)
            tr->weights[p->at + (size_t)k] = (float)((uint32_t)k * 2654435761u >> 16) / 3e6f - 0.01f;
    }
}

/* peer.x_t, peer.target [B,H,W,C]; peer.times [B]; peer.index [B,K]; peer.loss [1]. */
static int add_batch(struct mdm_safetensors_writer *f, const struct bench *b, const struct workload *w,
                     const double *loss)
{
    const struct maskdm_trainer *tr = b->trainer;
    const int64_t image[4] = {w->batch, w->side, w->side, 3}, index[2] = {w->batch, tr->visible}, one = 1;

    MDM_TRY(mdm_safetensors_writer_add(f, "peer.x_t", "F32", image, 4, tr->micro.input));
    MDM_TRY(mdm_safetensors_writer_add(f, "peer.target", "F32", image, 4, tr->micro.target));
    MDM_TRY(mdm_safetensors_writer_add(f, "peer.times", "F64", image, 1, tr->micro.times));
    MDM_TRY(mdm_safetensors_writer_add(f, "peer.index", "I32", index, 2, tr->micro.index));
    return mdm_safetensors_writer_add(f, "peer.loss", "F64", &one, 1, loss);
}

int run_export(const struct workload *w, const struct settings *s)
{
    struct mdm_tensorfile_source source = {0};
    struct mdm_safetensors_writer *f = NULL;
    struct bench b;
    double loss = 0;
    int rc = bench_open(&b, w, s->threads);

    if (rc == 0)
        fill_zeros(b.trainer);
    if (rc == 0 && (rc = maskdm_trainer_draw(b.trainer, b.data, 0)) == 0 &&
        (rc = maskdm_trainer_forward(b.trainer)) == 0 && (rc = maskdm_trainer_loss(b.trainer, &loss)) == 0 &&
        (rc = mdm_safetensors_writer_create(&f)) == 0) {
        source = mdm_model_source(b.trainer->device);
        rc = mdm_model_write_block(f, &source, &b.trainer->model->layout, "", b.trainer->weights);
        if (rc == 0 && (rc = add_batch(f, &b, w, &loss)) == 0)
            rc = mdm_safetensors_writer_save(f, s->export, 0);
    }
    if (rc < 0)
        bench_failed(w);
    mdm_safetensors_writer_release(&f);
    bench_close(&b);
    return rc < 0;
}
