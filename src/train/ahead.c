/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A thread per micro-batch, begun behind a step's own draws and waited for before the step ends, so that between
 * steps the data are the host's. What fails ahead of its time is read again when it counts, and says then what is
 * wrong.
 */
#include "train/ahead.h"

#include "base/alloc.h"
#include "os/thread.h"
#include "train/trainer.h"

static void *read_images(void *arg)
{
    maskdm_trainer *tr = arg;
    struct mdm_ahead *a = &tr->ahead;

    a->status = mdm_trainer_fetch(tr, &a->next, a->data, a->image);
    if (a->status == MASKDM_OK)
        a->status = mdm_microbatch_enter(&a->next, a->next.staged, a->rows);
    return NULL;
}

size_t mdm_ahead_bytes(maskdm_device *device, int64_t batch, int64_t values)
{
    if (!mdm_device_backend(device)->v->asynchronous)
        return 0;
    return (size_t)batch * (size_t)values * sizeof(float); /* a part of what the micro-batch was counted with */
}

int mdm_ahead_ready(struct mdm_ahead *a, const struct mdm_microbatch *m)
{
    const size_t bytes = mdm_ahead_bytes(m->device, m->batch, m->values);
    void *memory;

    if (!bytes)
        return MASKDM_OK;
    a->next =
        (struct mdm_microbatch){.device = m->device, .batch = m->batch, .values = m->values, .geometry = m->geometry};
    a->next.staged = mdm_need_aligned(bytes, "images ahead");
    a->next.labels = mdm_need((size_t)m->batch, sizeof *a->next.labels, "labels ahead");
    if (!a->next.staged || !a->next.labels ||
        (m->entered && !(a->next.entered = mdm_need_aligned(bytes, "images ahead"))))
        return MASKDM_ENOMEM;
    MDM_TRY(mdm_device_alloc(m->device, &memory, bytes, 0, "images ahead"));
    a->next.images = memory;
    return MASKDM_OK;
}

static void forget(struct mdm_ahead *a)
{
    mdm_ahead_wait(a);
    if (a->data)
        mdm_data_release(&a->data);
}

/* Whether these data may be read by a thread of ours. */
static int is_ours(const maskdm_data *data)
{
    return !data || !data->callers;
}

void mdm_ahead_begin(maskdm_trainer *tr, maskdm_data *data, int64_t step, int64_t part)
{
    struct mdm_ahead *a = &tr->ahead;

    forget(a);
    if (!a->next.images || mdm_pace_at(&tr->pace, step) != tr->level || !is_ours(data) || !is_ours(tr->retain.data))
        return;
    a->image = mdm_pace_images(&tr->pace, step) + part * tr->images;
    a->rows = tr->batch;
    a->seed = tr->seed;
    mdm_data_hold(data);
    a->data = data;
    a->running = mdm_thread_start(&a->thread, read_images, tr) == MASKDM_OK;
    if (!a->running)
        mdm_data_release(&a->data);
}

int mdm_ahead_take(maskdm_trainer *tr, maskdm_data *data, int64_t image)
{
    struct mdm_ahead *a = &tr->ahead;
    struct mdm_microbatch *m = &tr->micro, taken = a->next;
    int here;

    mdm_ahead_wait(a);
    here =
        a->data == data && a->image == image && a->rows == tr->batch && a->seed == tr->seed && a->status == MASKDM_OK;
    forget(a);
    if (!here)
        return 0;
    a->next.images = m->images;
    a->next.staged = m->staged;
    a->next.entered = m->entered;
    a->next.labels = m->labels;
    m->images = taken.images;
    m->staged = taken.staged;
    m->entered = taken.entered;
    m->labels = taken.labels;
    return 1;
}

void mdm_ahead_wait(struct mdm_ahead *a)
{
    if (a->running)
        pthread_join(a->thread, NULL);
    a->running = 0;
}

void mdm_ahead_free(struct mdm_ahead *a)
{
    forget(a);
    mdm_microbatch_give(&a->next);
}
