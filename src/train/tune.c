/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two passes of consistency tuning, and what they need of memory.
 */
#include "train/tune.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/error.h"

/* Values of the largest micro-batch's outputs. */
static int count_outputs(size_t *values, const struct mdm_pace *pace, const maskdm_model *model)
{
    const struct mdm_geometry *g = &model->geometry;

    *values = 0;
    for (int i = 0; i < pace->levels; i++) {
        struct mdm_extent e;
        size_t n;

        MDM_TRY(mdm_levels_extent(&e, pace, model, &pace->level[i]));
        if (mdm_mul_size(&n, (size_t)(e.batch * e.visible), (size_t)(g->patch * g->patch * g->outputs)))
            return mdm_fail(MASKDM_EINVAL, "a batch of %lld images does not fit any memory", (long long)e.batch);
        *values = n > *values ? n : *values;
    }
    return MASKDM_OK;
}

int mdm_tune_bytes(size_t *bytes, const struct mdm_pace *pace, const maskdm_model *model)
{
    size_t values;

    MDM_TRY(count_outputs(&values, pace, model));
    if (mdm_mul_size(bytes, values, 2 * sizeof(float)))
        return mdm_fail(MASKDM_EINVAL, "what a network says twice of %zu values does not fit any memory", values);
    return MASKDM_OK;
}

static int take(struct mdm_tune *t, maskdm_trainer *tr)
{
    const size_t rows = (size_t)tr->micro.batch;
    float **const memory[] = {&t->said, &t->apart};
    size_t bytes;

    MDM_TRY(mdm_tune_bytes(&bytes, &tr->pace, tr->model));
    mdm_device_hold(tr->device);
    t->device = tr->device;
    t->bytes = bytes / 2;
    for (size_t i = 0; i < MDM_LENGTH(memory); i++) {
        void *block;

        MDM_TRY(mdm_device_alloc(tr->device, &block, t->bytes, 1, "what a network says at less noise"));
        *memory[i] = block;
    }
    t->below = mdm_need(rows, sizeof *t->below, "the numbers of a batch");
    t->delta = mdm_need(rows, sizeof *t->delta, "the numbers of a batch");
    t->facts = mdm_need(rows, sizeof *t->facts, "the numbers of a batch");
    if (!t->below || !t->delta || !t->facts)
        return MASKDM_ENOMEM;
    tr->memory += bytes;
    return MASKDM_OK;
}

static int fill(struct mdm_tune *t, maskdm_trainer *tr, const maskdm_options *options)
{
    MDM_TRY(mdm_options_extract(&t->options, options, &mdm_consistency_kind));
    MDM_TRY(mdm_consistency_read(&t->rule, tr->model->scheduler, t->options));
    if (!t->rule.told.every && t->rule.told.stages > 1)
        return mdm_fail(MASKDM_EINVAL, "%s %lld need %s, the steps of each", mdm_options_said(t->options, "stages"),
                        (long long)t->rule.told.stages, mdm_options_said(t->options, "every"));
    return take(t, tr);
}

int mdm_tune_begin(maskdm_trainer *tr, const maskdm_options *options)
{
    struct mdm_tune *t;
    int status;

    if (tr->tune)
        return mdm_fail(MASKDM_EINVAL, "the trainer tunes for consistency already");
    if (tr->optimizer->steps)
        return mdm_fail(MASKDM_EINVAL, "the trainer is at step %lld; consistency tuning begins with the first",
                        (long long)tr->optimizer->steps);
    if (tr->model->geometry.kinds > 1)
        return mdm_fail(MASKDM_EINVAL,
                        "network %s predicts patches of %d kinds, each with an error of its own; tuned can be what "
                        "predicts an image as one",
                        tr->model->network->name, tr->model->geometry.kinds);
    if (tr->retain.power > 0 || tr->retain.data)
        return mdm_fail(MASKDM_EINVAL, "%s and retained images have no meaning for consistency tuning",
                        mdm_options_said(tr->options, "forget_power"));
    t = mdm_need(1, sizeof *t, "consistency tuning");
    if (!t)
        return MASKDM_ENOMEM;
    status = fill(t, tr, options);
    if (status < 0)
        mdm_tune_end(&t);
    tr->tune = t;
    tr->meter.counted = 0;
    tr->stage = MDM_STAGE_EMPTY;
    return status;
}

void mdm_tune_end(struct mdm_tune **tune)
{
    struct mdm_tune *t = *tune;

    *tune = NULL;
    if (!t)
        return;
    if (t->said)
        mdm_device_free(t->device, t->said, t->bytes);
    if (t->apart)
        mdm_device_free(t->device, t->apart, t->bytes);
    mdm_free(t->below);
    mdm_free(t->delta);
    mdm_free(t->facts);
    mdm_options_release(&t->options);
    mdm_device_drop(&t->device);
    mdm_free(t);
}

void mdm_tune_draw_times(const maskdm_trainer *tr, int64_t first, int64_t step)
{
    const struct mdm_process *p = tr->model->scheduler->process;

    for (int64_t b = 0; b < tr->batch; b++)
        tr->micro.times[b] = mdm_time_draw_at(&tr->tune->rule.draw, p, tr->seed, (uint64_t)first + (uint64_t)b, step);
}

/* Numbers of every row; whether the network is asked at r for any. */
static int look_below(maskdm_trainer *tr)
{
    const maskdm_scheduler *s = tr->model->scheduler;
    struct mdm_tune *t = tr->tune;
    const int64_t stage = mdm_consistency_stage(&t->rule, tr->optimizer->steps);
    int any = 0;

    for (int64_t b = 0; b < tr->batch; b++) {
        const double at = tr->micro.times[b], r = mdm_consistency_time(&t->rule, s, stage, at);

        t->facts[b] = mdm_consistency_facts(&t->rule, s, at, r);
        t->below[b] = t->facts[b].teaches ? r : at;
        t->delta[b] = t->facts[b].delta;
        any |= t->facts[b].teaches;
    }
    return any;
}

/* What the network says at r. */
static int ask_below(maskdm_trainer *tr)
{
    struct mdm_backend *b = mdm_device_backend(tr->device);
    struct mdm_microbatch *m = &tr->micro;
    struct mdm_microbatch below = *m;

    below.times = tr->tune->below;
    MDM_TRY(mdm_microbatch_noise(&below, tr->model->scheduler, tr->batch));
    MDM_TRY(mdm_program_set(tr->program, m->input, m->network_times, m->labels, m->index));
    MDM_TRY(mdm_program_set_kept(tr->program, m->keep));
    MDM_TRY(mdm_program_set_dropped(tr->program, m->dropped));
    MDM_TRY(mdm_program_forward(tr->program, tr->weights, mdm_control_cancel_flag(tr->control)));
    return b->v->copy(b, tr->tune->said, mdm_program_output(tr->program),
                      (size_t)(tr->batch * tr->program->output_values) * sizeof(float));
}

int mdm_tune_teach(maskdm_trainer *tr)
{
    struct mdm_microbatch *m = &tr->micro;

    if (look_below(tr))
        MDM_TRY(ask_below(tr));
    mdm_microbatch_count(m, tr->model->scheduler, tr->batch);
    for (int64_t b = 0; b < tr->batch; b++) {
        const struct mdm_consistency_facts *f = &tr->tune->facts[b];

        m->target_x0[b] = f->target.a;
        m->target_noise[b] = f->target.b;
        m->weight[b] = f->weight;
    }
    return mdm_microbatch_mix(m, tr->batch);
}

int mdm_tune_loss(maskdm_trainer *tr, double scale)
{
    struct mdm_backend *b = mdm_device_backend(tr->device);
    const struct mdm_tune *t = tr->tune;
    const int64_t n = tr->program->output_values;
    const float *now = mdm_program_output(tr->program);

    for (int64_t row = 0; row < tr->batch; row++)
        MDM_TRY(b->v->mix(b, &(struct mdm_mix){.n = n,
                                               .count = t->facts[row].teaches ? 2 : 1,
                                               .x = {now + row * n, t->said + row * n},
                                               .a = {1, -t->facts[row].teacher},
                                               .y = t->apart + row * n}));
    return mdm_microbatch_norm(&tr->micro, tr->program, tr->micro.index, t->apart, t->delta, scale);
}
