/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a run says of itself before its first step.
 */
#include "run/run.h"

#include "base/error.h"
#include "data/data.h"
#include "model/program.h"
#include "train/freeze.h"

static void tell_size(const struct mdm_run *run)
{
    const struct mdm_geometry *g = &run->trainer->model->geometry;
    const int seen = run->trainer->model->network->masked == MDM_MASK_ZEROES;
    const struct mdm_pace_level *now = mdm_pace_at(&run->trainer->pace, run->trainer->optimizer->steps);
    char level[MDM_LEVEL_TEXT];

    mdm_trainer_describe_level(level, sizeof level, run->trainer, now);
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "%lld image%s, %lld parameters, %s%s",
                 (long long)run->data->count, run->data->count == 1 ? "" : "s",
                 (long long)run->trainer->model->layout.numel, level,
                 now->visible < g->patches && seen ? ", which it sees as zeros: a step costs as much" : "");
}

/* What a network says and nothing teaches it. */
static void tell_untrained(const struct mdm_run *run)
{
    const struct mdm_geometry *g = &run->trainer->model->geometry;

    if (g->outputs == 2 * g->channels)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_WARN,
                     "the loss does not train the variance that the network says (learn_sigma): it stays what the "
                     "rest of the network makes of it");
}

static void tell_repeats(const struct mdm_run *run, int64_t batch_size)
{
    if (batch_size > run->data->count)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                     "a step has %lld images and the data %lld, so that some come more than once in it, each time "
                     "under other noise (%s)",
                     (long long)batch_size, (long long)run->data->count, mdm_options_said(run->now, "batch_size"));
}

/* What is not the same in every step, or not as it was asked for. */
static void tell_pace(const struct mdm_run *run)
{
    const maskdm_trainer *tr = run->trainer;
    const struct mdm_pace_level *now = mdm_pace_at(&tr->pace, tr->optimizer->steps);
    const struct mdm_pace_level *last = &tr->pace.level[tr->pace.levels - 1];
    char level[MDM_LEVEL_TEXT];

    if (tr->pace.asked)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "%s %lld: %lld image%s a step",
                     mdm_options_said(run->now, "batch_tokens"), (long long)tr->pace.tokens,
                     (long long)now->batch_size, now->batch_size == 1 ? "" : "s");
    else if (tr->pace.tokens)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "%lld patches a step: %lld image%s",
                     (long long)tr->pace.tokens, (long long)now->batch_size, now->batch_size == 1 ? "" : "s");
    tell_repeats(run, now->batch_size);
    if (now == last)
        return;
    mdm_trainer_describe_level(level, sizeof level, tr, last);
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO, "that changes: from step %lld on %s",
                 (long long)(mdm_run_first(run) + last->from), level);
}

/* What is trained where something was asked to stay as it is. */
static void tell_trained(const struct mdm_run *run)
{
    const struct mdm_params *layout = &run->trainer->model->layout;
    int64_t elements;
    const int count = mdm_freeze_trained(layout, &elements);

    if (*mdm_options_text(run->now, "freeze") || run->trainer->model->adapter)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                     "%d of %d tensors are trained, %lld of %lld parameters; the others are frozen", count,
                     layout->count, (long long)elements, (long long)layout->numel);
}

/* What a kind's products add to those of a step, forward and backward. */
static void tell_optimizer(const struct mdm_run *run)
{
    const maskdm_trainer *tr = run->trainer;
    const struct mdm_graph *g = &tr->program->graph;
    const double step = (double)tr->accumulate * (mdm_graph_flops(g, 0) + mdm_graph_flops(g, 1));
    struct mdm_optimizer_share share;

    if (!mdm_optimizer_share(&share, tr->optimizer))
        return;
    mdm_log_line(
        mdm_control_log(run->control), MASKDM_LOG_INFO,
        "%s moves %lld of the %lld parameters, %lld matrices, at %.3g %% of the products of a step of %lld image%s",
        tr->optimizer->kind->name, (long long)share.elements, (long long)tr->model->layout.numel,
        (long long)share.matrices, 100 * share.flops / step, (long long)tr->batch_size,
        tr->batch_size == 1 ? "" : "s");
}

void mdm_run_tell(const struct mdm_run *run)
{
    tell_size(run);
    tell_untrained(run);
    tell_pace(run);
    tell_trained(run);
    tell_optimizer(run);
    if (run->tune)
        mdm_run_tell_tuning(run);
}
