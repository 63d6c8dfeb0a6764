/* SPDX-License-Identifier: BSD-2-Clause
 *
 * FLOPs of the network are those of its matrix products, from its graph; of the optimizer, those of every parameter
 * that is trained. What a run has cost follows from its step, so that one that was resumed counts what came before.
 */
#include "train/cost.h"

#include "base/clock.h"
#include "base/error.h"
#include "train/trainer.h"

#include <math.h>

/* Of a parameter in a step: its share of the gradient's norm, clipping, AdamW as backend/backend.h has it, with a
 * square root and a division for one each, and the average. */
enum { NORM = 2, CLIP = 1, ADAMW = 15, AVERAGE = 3 };
static const double reading = 0.5; /* seconds between those of energy */

/* ---- time and energy ---- */

double mdm_meter_begin(struct mdm_meter *m)
{
    const double now = mdm_clock();

    if (m->read_at == 0) {
        mdm_energy_find(&m->energy, mdm_energy_folder);
        m->read_at = now;
    }
    return now;
}

static void read_energy(struct mdm_meter *m, double now)
{
    if (m->energy.zones)
        m->joules += mdm_energy_read(&m->energy);
    m->read_at = now;
}

void mdm_meter_end(struct mdm_meter *m, double began)
{
    const double now = mdm_clock();

    m->seconds += now - began;
    if (now - m->read_at >= reading)
        read_energy(m, now);
}

/* ---- arithmetic ---- */

static int count_averages(const maskdm_optimizer *o)
{
    int averages = o->ema != NULL;

    for (size_t i = 0; i < MDM_LENGTH(o->further); i++)
        averages += o->further[i] != NULL;
    return averages;
}

/* Elements that a kind moves itself cost what it says, not AdamW. */
static double optimizer_flops(const maskdm_optimizer *o)
{
    const double averages = count_averages(o) ? (double)count_averages(o) * AVERAGE / (double)o->rule.every : 0;
    struct mdm_optimizer_share share = {0};
    double trained = 0;

    (void)mdm_optimizer_share(&share, o);
    for (int i = 0; i < o->layout->count; i++)
        if (!o->layout->list[i].frozen)
            trained += (double)mdm_shape_numel(&o->layout->list[i].shape);
    return trained * (NORM + CLIP + averages) + (trained - (double)share.elements) * ADAMW + share.flops;
}

static int count(struct mdm_step_flops *out, maskdm_trainer *tr, struct mdm_extent extent)
{
    const double parts = (double)tr->pace.accumulate, passes = tr->tune ? 2 : 1; /* forward */
    struct mdm_program_flops part;

    MDM_TRY(mdm_program_count(&part, tr->model, extent, tr->use));
    *out =
        (struct mdm_step_flops){passes * parts * part.forward, parts * part.backward, optimizer_flops(tr->optimizer)};
    return MASKDM_OK;
}

static int count_levels(maskdm_trainer *tr)
{
    const struct mdm_pace *p = &tr->pace;

    for (int i = 0; i < p->levels && !tr->meter.counted; i++) {
        const struct mdm_extent whole = {.batch = p->level[i].batch_size / p->accumulate,
                                         .visible = tr->model->geometry.patches};
        struct mdm_extent own;

        MDM_TRY(mdm_levels_extent(&own, p, tr->model, &p->level[i]));
        MDM_TRY(count(&tr->meter.level[i], tr, own));
        MDM_TRY(count(&tr->meter.whole[i], tr, whole));
    }
    tr->meter.counted = 1;
    return MASKDM_OK;
}

double mdm_step_flops_sum(const struct mdm_step_flops *f)
{
    return f->forward + f->backward + f->optimizer;
}

/* Of all steps that were done. */
static void add_up(struct maskdm_cost *c, const maskdm_trainer *tr)
{
    const struct mdm_pace *p = &tr->pace;

    for (int i = 0; i < p->levels; i++) {
        const struct mdm_pace_level *l = &p->level[i];
        const int64_t end = i + 1 < p->levels && l[1].from < c->step ? l[1].from : c->step;
        const int64_t steps = end > l->from ? end - l->from : 0;

        c->tokens += steps * l->batch_size * p->groups * l->visible;
        c->flops += (double)steps * mdm_step_flops_sum(&tr->meter.level[i]);
        c->whole_flops += (double)steps * mdm_step_flops_sum(&tr->meter.whole[i]);
    }
}

int mdm_trainer_count(maskdm_trainer *tr, struct mdm_step_flops *now, struct mdm_step_flops *whole)
{
    int64_t level;

    MDM_TRY(count_levels(tr));
    level = mdm_pace_at(&tr->pace, tr->optimizer->steps) - tr->pace.level;
    *now = tr->meter.level[level];
    *whole = tr->meter.whole[level];
    return MASKDM_OK;
}

int mdm_trainer_cost(maskdm_trainer *tr, struct maskdm_cost *out)
{
    return mdm_trainer_cost_of(tr, tr->optimizer->steps, out);
}

int mdm_trainer_cost_of(maskdm_trainer *tr, int64_t steps, struct maskdm_cost *out)
{
    struct mdm_step_flops now, whole;

    MDM_TRY(mdm_trainer_count(tr, &now, &whole));
    *out = (struct maskdm_cost){.struct_size = sizeof *out,
                                .step = steps,
                                .images = mdm_pace_images(&tr->pace, steps),
                                .step_forward = now.forward,
                                .step_backward = now.backward,
                                .step_optimizer = now.optimizer,
                                .seconds = tr->meter.seconds};
    add_up(out, tr);
    if (tr->meter.energy.zones)
        read_energy(&tr->meter, mdm_clock());
    out->joules = tr->meter.energy.zones ? tr->meter.joules : (double)NAN;
    return MASKDM_OK;
}
