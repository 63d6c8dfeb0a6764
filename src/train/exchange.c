/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Gradients on their way while others are still being computed.
 */
#include "train/exchange.h"

#include "backend/job.h"
#include "base/alloc.h"
#include "base/error.h"

#include <stdlib.h>

enum { PIECE = 1 << 20 }; /* values, as many as mdm_comm_sum() takes at a time */

/* ---- the pieces ---- */

/* Of what is trained; nothing else has a gradient. Returns how many, which are written where there is room. */
static int cut(const struct mdm_params *layout, struct mdm_exchange_piece *piece)
{
    int count = 0;

    for (size_t at = 0, from; mdm_params_trained(layout, &at, &from);)
        for (size_t n; from < at; from += n, count++) {
            n = at - from < PIECE ? at - from : PIECE;
            if (piece)
                piece[count] = (struct mdm_exchange_piece){.from = from, .count = n};
        }
    return count;
}

int mdm_exchange_take(struct mdm_exchange *x, maskdm_comm *comm, maskdm_device *device,
                      const struct mdm_params *layout, float *const *block, int depth)
{
    const int pieces = cut(layout, NULL);

    *x = (struct mdm_exchange){.comm = comm, .device = device, .pieces = pieces, .block = block, .depth = depth};
    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->changed, NULL);
    x->piece = mdm_need((size_t)pieces + 1, sizeof *x->piece, "pieces of gradients");
    x->final = x->piece ? mdm_need((size_t)layout->count + 1, sizeof *x->final, "pieces of gradients") : NULL;
    x->staged = x->final ? mdm_need_aligned(2 * PIECE * sizeof *x->staged, "gradients on their way") : NULL;
    if (!x->staged)
        return MASKDM_ENOMEM;
    x->other = x->staged + PIECE;
    return MASKDM_OK;
}

void mdm_exchange_free(struct mdm_exchange *x)
{
    if (!x->comm)
        return;
    mdm_free(x->piece);
    mdm_free(x->final);
    mdm_free(x->staged);
    pthread_cond_destroy(&x->changed);
    pthread_mutex_destroy(&x->lock);
    *x = (struct mdm_exchange){0};
}

/* Late operations first, whose backward is first; else as they lie. */
static int compare(const void *a, const void *b)
{
    const struct mdm_exchange_piece *p = a, *q = b;

    if (p->node != q->node)
        return p->node > q->node ? -1 : 1;
    return p->from < q->from ? -1 : p->from > q->from;
}

static void order(struct mdm_exchange *x, const struct mdm_params *layout, const struct mdm_program *program)
{
    (void)cut(layout, x->piece);
    mdm_graph_final(&program->graph, x->final);
    for (int i = 0; i < x->pieces; i++) {
        struct mdm_exchange_piece *p = &x->piece[i];

        p->node = program->graph.n_node;
        for (int k = 0; k < layout->count; k++) {
            const struct mdm_param *q = &layout->list[k];

            if (q->at < p->from + p->count && q->at + (size_t)mdm_shape_numel(&q->shape) > p->from &&
                x->final[k] < p->node)
                p->node = x->final[k];
        }
    }
    qsort(x->piece, (size_t)x->pieces, sizeof *x->piece, compare);
}

/* ---- the thread ---- */

/* The sums that wait are added from the last one on, as blocks of parts are. */
static int bring(struct mdm_exchange *x, const struct mdm_exchange_piece *p)
{
    const size_t bytes = p->count * sizeof(float);

    MDM_TRY(mdm_device_download(x->device, x->staged, x->block[x->depth - 1] + p->from, bytes));
    for (int d = x->depth - 2; d >= 0; d--) {
        MDM_TRY(mdm_device_download(x->device, x->other, x->block[d] + p->from, bytes));
        mdm_mix_on_host(&(struct mdm_mix){
            .n = (int64_t)p->count, .count = 2, .x = {x->other, x->staged}, .a = {1, 1}, .y = x->staged});
    }
    return MASKDM_OK;
}

/* What the device refuses here keeps nobody waiting elsewhere. */
static int exchange_piece(struct mdm_exchange *x, const struct mdm_exchange_piece *p)
{
    const int brought = bring(x, p);

    if (brought < 0 && !x->failure.code)
        mdm_failure_take(&x->failure, brought);
    MDM_TRY(mdm_comm_sum(x->comm, x->staged, p->count));
    return mdm_device_upload(x->device, x->block[0] + p->from, x->staged, p->count * sizeof *x->staged);
}

static void wait_until_ready(struct mdm_exchange *x, int piece)
{
    pthread_mutex_lock(&x->lock);
    while (x->ready <= piece)
        pthread_cond_wait(&x->changed, &x->lock);
    pthread_mutex_unlock(&x->lock);
}

static void *exchange(void *arg)
{
    struct mdm_exchange *x = arg;

    for (int i = 0; i < x->pieces; i++) {
        int status;

        wait_until_ready(x, i);
        status = exchange_piece(x, &x->piece[i]);
        if (status < 0 && !x->failure.code)
            mdm_failure_take(&x->failure, status);
        if (x->comm->broken.code)
            break;
    }
    return NULL;
}

/* ---- beside the pass ---- */

static void make_ready(struct mdm_exchange *x, int pieces)
{
    pthread_mutex_lock(&x->lock);
    x->ready = pieces;
    pthread_cond_signal(&x->changed);
    pthread_mutex_unlock(&x->lock);
}

/* The backward of operation `node` and of all behind it is done. */
static void note(void *user, int node)
{
    struct mdm_exchange *x = user;
    int ready = x->ready; /* which only this thread changes */

    while (ready < x->pieces && x->piece[ready].node >= node)
        ready++;
    if (ready > x->ready)
        make_ready(x, ready);
}

void mdm_exchange_begin(struct mdm_exchange *x, struct mdm_program *program)
{
    const struct mdm_backend_vtbl *v = mdm_device_backend(x->device)->v;

    order(x, &program->model->layout, program);
    x->failure = (struct mdm_failure){0};
    x->ready = 0;
    x->begun = 1;
    x->running = mdm_thread_start(&x->thread, exchange, x) == MASKDM_OK;
    x->program = x->running && !v->asynchronous && !v->record ? program : NULL;
    if (x->program)
        mdm_graph_watch(&program->graph, note, x);
}

void mdm_exchange_end(struct mdm_exchange *x)
{
    if (!x->begun)
        return;
    x->begun = 0;
    if (x->program)
        mdm_graph_watch(&x->program->graph, NULL, NULL);
    x->program = NULL;
    x->early = x->ready;
    make_ready(x, x->pieces);
    if (x->running)
        pthread_join(x->thread, NULL);
    else
        (void)exchange(x);
    x->running = 0;
}

int mdm_exchange_status(const struct mdm_exchange *x)
{
    return mdm_failure_record(&x->failure);
}
