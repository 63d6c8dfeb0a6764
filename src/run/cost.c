/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a run costs, told: a step's arithmetic when it starts, all of it in the log and at the end.
 */
#include "run/run.h"

#include "base/error.h"
#include "text/json.h"
#include "text/text.h"

#include <math.h>
#include <string.h>

enum { QUANTITY = 48 };

/* "1.23 GFLOP" */
static void say(char out[QUANTITY], double x, const char *unit)
{
    static const char *const prefix[] = {"", "k", "M", "G", "T", "P", "E"};
    size_t i = 0;

    while (x >= 1000 && i + 1 < MDM_LENGTH(prefix)) {
        x /= 1000;
        i++;
    }
    mdm_format(out, QUANTITY, "%.3g %s%s", x, prefix[i], unit);
}

int mdm_run_tell_step(struct mdm_run *run)
{
    char step[QUANTITY], forward[QUANTITY], backward[QUANTITY], optimizer[QUANTITY], less[64] = "";
    struct mdm_step_flops now, whole;

    MDM_TRY(mdm_trainer_count(run->trainer, &now, &whole));
    say(step, mdm_step_flops_sum(&now), "FLOP");
    say(forward, now.forward, "FLOP");
    say(backward, now.backward, "FLOP");
    say(optimizer, now.optimizer, "FLOP");
    if (mdm_step_flops_sum(&whole) > mdm_step_flops_sum(&now))
        mdm_format(less, sizeof less, ", %.2f times fewer than on whole images",
                   mdm_step_flops_sum(&whole) / mdm_step_flops_sum(&now));
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                 "a step takes %s (forward %s, backward %s, optimizer %s)%s", step, forward, backward, optimizer,
                 less);
    return MASKDM_OK;
}

/* Of this start and those before it, and of all stages. */
static int total(struct maskdm_cost *c, const struct mdm_run *run)
{
    MDM_TRY(mdm_trainer_cost(run->trainer, c));
    c->step += mdm_run_first(run);
    for (int k = 0; k < run->stage; k++) {
        c->images += run->plan[k].cost.images;
        c->tokens += run->plan[k].cost.tokens;
        c->flops += run->plan[k].cost.flops;
        c->whole_flops += run->plan[k].cost.whole_flops;
    }
    c->seconds += run->spent_seconds;
    c->joules += run->spent_joules;
    return MASKDM_OK;
}

int mdm_run_tell_total(struct mdm_run *run)
{
    char flops[QUANTITY], joules[QUANTITY] = "";
    struct maskdm_cost c;

    MDM_TRY(total(&c, run));
    say(flops, c.flops, "FLOP");
    if (!isnan(c.joules))
        say(joules, c.joules, "J");
    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                 "%lld images, %lld tokens, %s in %.3g seconds of steps%s%s", (long long)c.images,
                 (long long)c.tokens, flops, c.seconds, *joules ? ", " : "", joules);
    return MASKDM_OK;
}

static const double good = 0.8; /* of what arithmetic allows */

static void tell_saving(const struct mdm_run *run, double reached, double allowed, double step, double whole)
{
    const maskdm_trainer *tr = run->trainer;

    mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_INFO,
                 "a step takes %.3g s, and would take %.3g s on whole images: %.2f times as long, where the "
                 "arithmetic is %.2f times as much",
                 step, whole, reached, allowed);
    if (allowed > 1 && reached < good * allowed)
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_WARN,
                     "%lld images of %lld visible patches are too small a batch to fill this machine: more images a "
                     "step (%s, %s) save more",
                     (long long)tr->images, (long long)tr->visible, mdm_options_said(run->now, "batch_size"),
                     mdm_options_said(run->now, "batch_tokens"));
}

int mdm_run_measure(struct mdm_run *run)
{
    const double steps = (double)(run->trainer->optimizer->steps - run->first);
    struct mdm_step_flops flops, whole_flops;
    double step, passes, whole;
    int status;

    MDM_TRY(mdm_trainer_count(run->trainer, &flops, &whole_flops));
    step = run->trainer->meter.seconds / steps;
    status = mdm_trainer_measure(run->trainer, &passes, &whole);
    if (status == MASKDM_ENOMEM) { /* which training does not need */
        mdm_log_line(mdm_control_log(run->control), MASKDM_LOG_WARN, "a step on whole images is not measured: %s",
                     mdm_error_text());
        return MASKDM_OK;
    }
    MDM_TRY(status);
    step = step > passes ? step : passes;
    whole += step - passes;
    tell_saving(run, whole / step, mdm_step_flops_sum(&whole_flops) / mdm_step_flops_sum(&flops), step, whole);
    return MASKDM_OK;
}

/* ---- the log ---- */

static void add(struct mdm_text *t, const char *key, double value)
{
    mdm_text_addf(t, ",\"%s\":", key);
    mdm_text_add_double(t, value);
}

int mdm_run_log_cost(struct mdm_run *run, struct mdm_text *t)
{
    struct maskdm_cost c;

    MDM_TRY(total(&c, run));
    mdm_text_addf(t, ",\"tokens\":%lld", (long long)c.tokens);
    add(t, "flops", c.flops);
    add(t, "seconds", c.seconds);
    if (!isnan(c.joules))
        add(t, "joules", c.joules);
    return MASKDM_OK;
}

void mdm_run_recall_cost(struct mdm_run *run, const char *line, size_t n)
{
    double *number = NULL;
    struct mdm_json j;
    int event;

    mdm_json_open(&j, line, n);
    while ((event = mdm_json_next(&j)) > MDM_JSON_END) {
        if (number && event == MDM_JSON_NUMBER)
            (void)mdm_json_double(&j, number);
        number = NULL;
        if (event == MDM_JSON_KEY && j.depth == 1)
            number = !strcmp(j.text, "seconds")   ? &run->spent_seconds
                     : !strcmp(j.text, "joules")  ? &run->spent_joules
                     : !strcmp(j.text, "elapsed") ? &run->elapsed
                                                  : NULL;
    }
    mdm_json_close(&j);
}
