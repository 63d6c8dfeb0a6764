/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The step of several processes: its parts, the meeting behind them, the sums, the update.
 */
#include "train/ranks.h"

#include "base/alloc.h"
#include "base/error.h"
#include "train/trainer.h"

#include <math.h>

/* What ranks want of each other, behind a step. */
enum { WANT_STOP = 1, WANT_SAVE = 2, WANT_COMPARISON = 4 };

/* ---- a communicator comes and goes ---- */

void mdm_ranks_free(maskdm_trainer *tr)
{
    struct mdm_ranks *r = &tr->ranks;

    for (int i = 1; i < r->depth; i++)
        if (r->block[i])
            mdm_device_free(tr->device, r->block[i], tr->block_bytes);
    mdm_exchange_free(&r->exchange);
    mdm_free(r->losses);
    if (r->comm)
        r->comm->cancel = NULL;
    mdm_comm_drop(&r->comm);
    *r = (struct mdm_ranks){0};
}

/* Sums that are kept at once, of so many parts. */
static int count_depth(int64_t parts)
{
    int depth = 1;

    for (; parts > 1; parts -= parts / 2)
        depth++;
    return depth;
}

static int take(maskdm_trainer *tr)
{
    struct mdm_ranks *r = &tr->ranks;

    r->block[0] = tr->gradients;
    for (int i = 1; i < r->depth; i++) {
        void *memory;

        MDM_TRY(mdm_device_alloc(tr->device, &memory, tr->block_bytes, 0, "the gradients of parts"));
        r->block[i] = memory;
    }
    r->losses = mdm_need((size_t)tr->accumulate, sizeof *r->losses, "the losses of parts");
    if (!r->losses)
        return MASKDM_ENOMEM;
    return r->comm->carrier->size < 2 ? MASKDM_OK
                                      : mdm_exchange_take(&r->exchange, r->comm, tr->device, &tr->model->layout,
                                                          r->block, r->depth);
}

int mdm_ranks_set(maskdm_trainer *tr, maskdm_comm *comm)
{
    const int64_t ranks = comm ? comm->carrier->size : 1;
    int status;

    if (tr->accumulate % ranks != 0)
        return mdm_fail(MASKDM_EINVAL, "%s %lld does not go round in %lld ranks",
                        mdm_options_said(tr->options, "accumulate"), (long long)tr->accumulate, (long long)ranks);
    mdm_ranks_free(tr);
    if (!comm)
        return MASKDM_OK;
    mdm_comm_hold(comm);
    tr->ranks.comm = comm;
    tr->ranks.parts = tr->accumulate / ranks;
    tr->ranks.first = comm->carrier->rank * tr->ranks.parts;
    tr->ranks.depth = count_depth(tr->ranks.parts);
    status = take(tr);
    if (status < 0)
        mdm_ranks_free(tr);
    return status;
}

/* ---- the parts ---- */

static int is_last(const struct mdm_ranks *r, int64_t behind)
{
    return behind == r->first + r->parts;
}

/* Into a block that may hold anything but for the trainer's own, which is zero. A loss that is not finite has no
 * backward pass, and the step is skipped. */
static int go_backward(maskdm_trainer *tr, double loss, int depth)
{
    float *const own = tr->gradients;
    int status;

    tr->gradients = tr->ranks.block[depth];
    status = depth ? mdm_trainer_zero_gradients(tr) : MASKDM_OK;
    if (status == MASKDM_OK && isfinite(loss))
        status = mdm_trainer_backward(tr, NULL);
    tr->gradients = own;
    return status;
}

/* The last part stops before its backward pass. */
static int compute_part(maskdm_trainer *tr, maskdm_data *data, int64_t part, int depth)
{
    struct mdm_ranks *r = &tr->ranks;
    const int last = is_last(r, part + 1);

    MDM_TRY(mdm_trainer_draw(tr, data, part));
    mdm_ahead_begin(tr, data, tr->optimizer->steps + last, last ? r->first : part + 1);
    MDM_TRY(mdm_trainer_forward(tr));
    MDM_TRY(mdm_trainer_compare(tr, 0));
    r->losses[part - r->first] = mdm_trainer_sum_losses(tr);
    return last ? MASKDM_OK : go_backward(tr, r->losses[part - r->first], depth);
}

static int add_block(maskdm_trainer *tr, float *to, const float *from)
{
    struct mdm_backend *b = mdm_device_backend(tr->device);
    const struct mdm_mix sum = {
        .n = (int64_t)(tr->block_bytes / sizeof *to), .count = 2, .x = {to, from}, .a = {1, 1}, .y = to};
    int status;

    MDM_TRY(mdm_device_enter(tr->device));
    status = b->v->mix(b, &sum);
    mdm_device_leave(tr->device);
    return status;
}

/* What hangs on the last part's gradient is left out. */
static int add_parts(maskdm_trainer *tr, maskdm_data *data, int64_t first, int64_t count, int depth)
{
    const int64_t half = count / 2;

    if (count == 1)
        return compute_part(tr, data, first, depth);
    MDM_TRY(add_parts(tr, data, first, half, depth));
    MDM_TRY(add_parts(tr, data, first + half, count - half, depth + 1));
    if (is_last(&tr->ranks, first + count))
        return MASKDM_OK;
    return add_block(tr, tr->ranks.block[depth], tr->ranks.block[depth + 1]);
}

/* ---- the step ---- */

int mdm_ranks_check(maskdm_trainer *tr, const char *what)
{
    if (!tr->ranks.comm)
        return mdm_control_check(tr->control, what);
    if (!tr->ranks.stop)
        return MASKDM_OK;
    tr->ranks.stop = 0;
    return mdm_control_canceled(tr->control, what);
}

static unsigned find_wants(maskdm_trainer *tr, const maskdm_data *data)
{
    unsigned wants = tr->ranks.met == data ? 0 : WANT_COMPARISON;

    if (mdm_control_stopping(tr->control))
        wants |= WANT_STOP;
    if (mdm_control_wants_save(tr->control))
        wants |= WANT_SAVE;
    return wants;
}

/* Rank 0 saves, whoever was asked. */
static void follow_wants(maskdm_trainer *tr, unsigned wants)
{
    tr->ranks.stop = (wants & WANT_STOP) != 0;
    if ((wants & WANT_SAVE) && tr->ranks.comm->carrier->rank == 0)
        mdm_control_want_save(tr->control);
}

static int meet(maskdm_trainer *tr, const maskdm_data *data, int status)
{
    unsigned wants = find_wants(tr, data);
    char place[MDM_COMM_PLACE];

    mdm_format(place, sizeof place, "step %lld", (long long)(tr->stage_first + tr->optimizer->steps + 1));
    status = mdm_comm_meet(tr->ranks.comm, status, place, &wants);
    if (status == MASKDM_ECANCELED)
        mdm_control_lower(tr->control); /* whoever has raised which flag of whom: all have heard of it */
    MDM_TRY(status);
    if (wants & WANT_COMPARISON) {
        MDM_TRY(mdm_ranks_compare(tr, data));
        tr->ranks.met = data;
    }
    follow_wants(tr, wants);
    return MASKDM_OK;
}

/* In the order of the parts, as one process adds them. */
static int sum_losses(maskdm_trainer *tr, double *loss)
{
    struct mdm_ranks *r = &tr->ranks;
    double *all = mdm_comm_need(r->comm, (size_t)tr->accumulate, sizeof *all, "the losses of parts");
    int status = all ? mdm_comm_gather(r->comm, all, r->losses, (size_t)r->parts * sizeof *all) : MASKDM_ENOMEM;

    *loss = 0;
    for (int64_t i = 0; i < tr->accumulate && status == MASKDM_OK; i++)
        *loss += all[i];
    mdm_free(all);
    return status;
}

/* The last part's backward pass, with the sums beside it, which begin whatever happens here: the others wait. */
static int end_parts(maskdm_trainer *tr)
{
    struct mdm_ranks *r = &tr->ranks;
    const int alone = r->comm->carrier->size == 1;
    int status;

    if (!alone)
        mdm_exchange_begin(&r->exchange, tr->program);
    status = go_backward(tr, r->losses[r->parts - 1], r->depth - 1);
    if (!alone)
        mdm_exchange_end(&r->exchange);
    if (status == MASKDM_OK && !alone)
        return mdm_exchange_status(&r->exchange);
    for (int d = r->depth - 1; d > 0 && status == MASKDM_OK; d--)
        status = add_block(tr, r->block[d - 1], r->block[d]);
    return status;
}

/* Whether all have the sums. */
static int agree(maskdm_trainer *tr, int status)
{
    status = mdm_comm_meet(tr->ranks.comm, status, "the sums of a step", NULL);
    if (status == MASKDM_ECANCELED)
        mdm_control_lower(tr->control);
    return status;
}

int mdm_ranks_step(maskdm_trainer *tr, maskdm_data *data, int status, double *loss)
{
    double squares = (double)NAN;

    tr->ranks.comm->cancel = mdm_control_cancel_flag(tr->control);
    if (status == MASKDM_OK)
        status = add_parts(tr, data, tr->ranks.first, tr->ranks.parts, 0);
    MDM_TRY(meet(tr, data, status));
    MDM_TRY(sum_losses(tr, loss));
    if (isfinite(*loss)) {
        MDM_TRY(agree(tr, end_parts(tr)));
        MDM_TRY(mdm_optimizer_measure(tr->optimizer, &squares));
    }
    *loss /= (double)(tr->batch_size * tr->pace.groups);
    return mdm_optimizer_apply(tr->optimizer, 1, !isfinite(*loss), squares);
}
