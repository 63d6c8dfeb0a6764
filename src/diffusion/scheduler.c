/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scheduler: creation, the numbers of a time, and what a training step draws.
 */
#include "diffusion/scheduler.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "diffusion/discrete.h"
#include "diffusion/options.h"

#include <math.h>
#include <string.h>

/* Where nothing of an image is left, none follows from a predicted noise, and without noise there is none to predict:
 * where times are real numbers the network is not asked there. */
static int leave_the_ends(maskdm_scheduler *s)
{
    static const double margin = 1e-3; /* of times that run from 0 to 1, as SiT has it */
    struct mdm_process *p = s->process;
    const int nothing = mdm_process_at(p, p->last).signal == 0, still = mdm_process_at(p, p->first).noise == 0;

    if (!s->prediction->of_noise)
        return MASKDM_OK;
    if (nothing && mdm_discrete_schedule(p))
        return mdm_fail(MASKDM_EINVAL,
                        "%s %s has no meaning where nothing of the image is left at the last time, %g "
                        "(zero_terminal_snr, or a last beta of 1); x0 and v have",
                        mdm_options_said(s->options, "prediction"), s->prediction->name, p->last);
    p->last -= nothing ? margin : 0;
    p->first += still ? margin : 0;
    return MASKDM_OK;
}

static int choose_draw(maskdm_scheduler *s, const struct mdm_scheduler_options *o)
{
    const maskdm_options *options = s->options;
    const struct mdm_time_wish wish = {
        .kind = o->time_draw,
        .spread = o->time_spread,
        .mean = *mdm_options_text(options, "time_mean") ? o->time_mean : (double)NAN,
        .deviation = *mdm_options_text(options, "time_std") ? o->time_std : (double)NAN,
        .mode_scale = *mdm_options_text(options, "mode_scale") ? o->mode_scale : (double)NAN};

    return mdm_time_draw_choose(&s->draw, s->process, &wish, options);
}

static int fill(maskdm_scheduler *s, const maskdm_options *options)
{
    struct mdm_scheduler_options o;

    MDM_TRY(mdm_options_extract(&s->options, options, &mdm_scheduler_kind));
    mdm_options_read(s->options, &mdm_scheduler_options, &o);
    MDM_TRY(mdm_process_class_at((int)o.process)->create(&s->process, s->options));
    MDM_TRY(
        mdm_prediction_choose(&s->prediction, s->process, o.prediction, mdm_options_said(s->options, "prediction")));
    MDM_TRY(leave_the_ends(s));
    if (mdm_process_is_straight(s->process) && !strcmp(s->prediction->name, "x0"))
        s->least_slope_time = o.weight_floor;
    MDM_TRY(mdm_weight_check(o.weight, s->process, mdm_options_said(s->options, "weight")));
    s->weight = (struct mdm_weight){.kind = mdm_weight_class_at(o.weight),
                                    .gamma = o.weight_gamma,
                                    .offset = o.weight_offset,
                                    .least_noise = o.weight_floor};
    MDM_TRY(choose_draw(s, &o));
    return mdm_options_set(s->options, "prediction", s->prediction->name);
}

static void destroy(void *object)
{
    maskdm_scheduler *s = object;

    mdm_options_release(&s->options);
    mdm_process_release(&s->process);
    mdm_free(s);
}

static const struct mdm_handle_kind kind = {"scheduler", destroy};

int mdm_scheduler_create(maskdm_scheduler **out, const maskdm_options *options)
{
    maskdm_scheduler *s = mdm_need(1, sizeof *s, "a scheduler");
    int status;

    *out = NULL;
    if (!s)
        return MASKDM_ENOMEM;
    mdm_handle_init(&s->handle, &kind);
    status = fill(s, options);
    if (status < 0)
        mdm_scheduler_drop(&s);
    *out = s;
    return status;
}

void mdm_scheduler_hold(maskdm_scheduler *s)
{
    if (s)
        mdm_handle_hold(&s->handle);
}

void mdm_scheduler_drop(maskdm_scheduler **out)
{
    maskdm_scheduler *s = *out;

    *out = NULL;
    if (s)
        mdm_handle_drop(&s->handle);
}

struct mdm_facts mdm_scheduler_facts(const maskdm_scheduler *s, double time)
{
    const struct mdm_process *p = s->process;
    const struct mdm_level level = mdm_process_at(p, time);
    const struct mdm_pair clean = s->prediction->clean(p, level);

    return (struct mdm_facts){.level = level,
                              .input_scale = mdm_process_input_scale(p, time),
                              .network_time = p->kind->network_time(p, time),
                              .target = s->prediction->target(p, level),
                              .clean = clean,
                              .weight = mdm_weight_of(&s->weight, p, level, clean.b)};
}

void mdm_scheduler_draw_times(const maskdm_scheduler *s, uint64_t seed, int64_t first, int64_t step, int64_t count,
                              double *times)
{
    for (int64_t i = 0; i < count; i++)
        times[i] = mdm_time_draw_at(&s->draw, s->process, seed, (uint64_t)first + (uint64_t)i, step);
}

void mdm_scheduler_draw_noise(uint64_t seed, int64_t first, int64_t step, int64_t count, int64_t n, float *noise)
{
    for (int64_t i = 0; i < count; i++) {
        const struct mdm_rng stream =
            mdm_rng_make(seed, MDM_DRAW_NOISE, (uint64_t)first + (uint64_t)i, (uint64_t)step);

        mdm_rng_normal(noise + i * n, (size_t)n, &stream, 0);
    }
}
