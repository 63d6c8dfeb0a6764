/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Old images among new ones, and how much both count. The authors' program draws the times of either by these
 * factors; here they weigh the loss, which has the same mean and leaves the times to the process.
 */
#include "train/retain.h"

#include "base/alloc.h"
#include "base/error.h"
#include "train/trainer.h"

#include <math.h>
#include <string.h>

static int64_t old_before(const struct mdm_retain *r, int64_t image)
{
    return r->data ? (int64_t)floor((double)image * r->share) : 0;
}

static int is_old(const struct mdm_retain *r, int64_t image)
{
    return old_before(r, image + 1) > old_before(r, image);
}

int mdm_retain_set(maskdm_trainer *tr, maskdm_data *data)
{
    const struct mdm_geometry *g = &tr->model->geometry;
    struct mdm_retain *r = &tr->retain;
    const int64_t most = (int64_t)ceil((double)tr->pace.most * r->share);

    if (data && tr->tune)
        return mdm_fail(MASKDM_EINVAL, "retained images have no meaning for consistency tuning");
    if (data && (data->height != g->height || data->width != g->width || data->channels != g->channels))
        return mdm_fail(MASKDM_ESHAPE, "the retained images are %lld x %lld x %d, the model needs %lld x %lld x %lld",
                        (long long)data->height, (long long)data->width, data->channels, (long long)g->height,
                        (long long)g->width, (long long)g->channels);
    if (data && data->count < most)
        return mdm_fail(MASKDM_EINVAL, "%lld retained images are too few: a batch of %lld has %lld by %s %g",
                        (long long)data->count, (long long)tr->pace.most, (long long)most,
                        mdm_options_said(tr->options, "retain_share"), r->share);
    if (data)
        mdm_data_hold(data);
    if (r->data)
        mdm_data_release(&r->data);
    r->data = data;
    return MASKDM_OK;
}

void mdm_retain_free(struct mdm_retain *r)
{
    if (r->data)
        mdm_data_release(&r->data);
    mdm_free(r->room);
    r->room = NULL;
    r->room_images = 0;
}

static int need_room(struct mdm_retain *r, int64_t images, int64_t values)
{
    if (r->room_images >= images)
        return MASKDM_OK;
    mdm_free(r->room);
    r->room_images = 0;
    r->room = mdm_need_aligned((size_t)(images * values) * sizeof *r->room, "retained images");
    if (!r->room)
        return MASKDM_ENOMEM;
    r->room_images = images;
    return MASKDM_OK;
}

/* New images stand at the front, in order, and old ones apart: from the last on each goes to its place. */
static void interleave(maskdm_trainer *tr, struct mdm_microbatch *m, int64_t image, int64_t new, int64_t old)
{
    const size_t bytes = (size_t)tr->values * sizeof(float);

    for (int64_t k = tr->images - 1; k >= 0 && old > 0; k--) {
        const int from_old = is_old(&tr->retain, image + k);

        if (from_old)
            memcpy(m->staged + k * tr->values, tr->retain.room + --old * tr->values, bytes);
        else if (--new < k)
            memcpy(m->staged + k * tr->values, m->staged + new * tr->values, bytes);
        m->labels[k] = from_old ? -1 : m->labels[new];
    }
}

int mdm_retain_fetch(maskdm_trainer *tr, struct mdm_microbatch *m, maskdm_data *data, int64_t image)
{
    struct mdm_retain *r = &tr->retain;
    const int64_t before = old_before(r, image), old = old_before(r, image + tr->images) - before;
    const int64_t new = tr->images - old;

    if (new)
        MDM_TRY(mdm_data_batch_at(data, tr->seed, image - before, new, &tr->augment, m->staged, m->labels));
    if (!old)
        return MASKDM_OK;
    MDM_TRY(need_room(r, old, tr->values));
    MDM_TRY(mdm_data_batch_at(r->data, tr->seed, before, old, &tr->augment, r->room, NULL));
    interleave(tr, m, image, new, old);
    return MASKDM_OK;
}

/* ---- weights ---- */

/* The ends of the shares of the way to the most noise at which the process is at a time: one share, or as much of it
 * as a whole time stands for. */
static double share_of(const struct mdm_process *p, double time, int upper)
{
    double low = 0, high = 1;

    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2, at = p->kind->time_at(p, middle);

        if (at < time || (upper && at == time))
            low = middle;
        else
            high = middle;
    }
    return upper ? high : low;
}

double mdm_retain_factor(const struct mdm_process *p, double time, double power, int old)
{
    const double share = old ? 1 - share_of(p, time, 0) : share_of(p, time, 1);

    return power > 0 ? (power + 1) * pow(share, power) : 1;
}

void mdm_retain_weigh(maskdm_trainer *tr, int64_t image)
{
    const struct mdm_retain *r = &tr->retain;
    const struct mdm_process *p = tr->model->scheduler->process;
    const int mixed = r->data && image >= 0;

    for (int64_t b = 0; b < tr->batch && (mixed || r->power > 0); b++) {
        const int old = mixed && is_old(r, image + b / tr->pace.groups);

        tr->micro.weight[b] *= mdm_retain_factor(p, tr->micro.times[b], r->power, old);
        if (mixed)
            tr->micro.weight[b] *= old ? r->weight / r->share : 1 / (1 - r->share);
    }
}
