/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A training workload for a peer: one tensor file with the weights, a batch with its noise, and the loss that the
 * library finds, so that the peer can show that it computes the same before it is timed.
 */
#include "bench.h"

#include "train/trainer.h"

#include <stdio.h>

/* peer.x_t, peer.target [B,H,W,C]; peer.times [B]; peer.index [B,K]; peer.loss [1]. */
static int add_batch(maskdm_file_writer *f, const struct bench *b, const struct workload *w, const double *loss)
{
    const struct maskdm_trainer *tr = b->trainer;
    const int64_t image[4] = {w->batch, w->side, w->side, 3}, index[2] = {w->batch, tr->visible}, one = 1;
    int rc = maskdm_file_writer_add(f, "peer.x_t", "F32", image, 4, tr->x_t);

    if (rc == 0)
        rc = maskdm_file_writer_add(f, "peer.target", "F32", image, 4, tr->target);
    if (rc == 0)
        rc = maskdm_file_writer_add(f, "peer.times", "F64", image, 1, tr->times);
    if (rc == 0)
        rc = maskdm_file_writer_add(f, "peer.index", "I32", index, 2, tr->index);
    return rc < 0 ? rc : maskdm_file_writer_add(f, "peer.loss", "F64", &one, 1, loss);
}

static int add_weights(maskdm_file_writer *f, const struct maskdm_trainer *tr)
{
    const struct mdm_params *layout = &tr->model->layout;
    int rc = 0;

    for (int i = 0; i < layout->count && rc == 0; i++) {
        const struct mdm_param *p = &layout->list[i];

        rc = maskdm_file_writer_add(f, p->name, "F32", p->shape.d, p->shape.n, tr->weights + p->at);
    }
    return rc;
}

int run_export(const struct workload *w, const struct settings *s)
{
    maskdm_file_writer *f = NULL;
    struct bench b;
    double loss = 0;
    int rc = bench_open(&b, w, s->threads);

    if (rc == 0 && (rc = maskdm_trainer_draw(b.trainer, b.data, 0)) == 0 &&
        (rc = maskdm_trainer_forward(b.trainer)) == 0 && (rc = maskdm_trainer_loss(b.trainer, &loss)) == 0 &&
        (rc = maskdm_file_writer_create(&f)) == 0 && (rc = add_weights(f, b.trainer)) == 0 &&
        (rc = add_batch(f, &b, w, &loss)) == 0)
        rc = maskdm_file_writer_save(f, s->export);
    if (rc < 0)
        bench_failed(w);
    maskdm_file_writer_release(&f);
    bench_close(&b);
    return rc < 0;
}
