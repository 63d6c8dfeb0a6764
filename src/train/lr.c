/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Learning rates: a warm-up times a schedule, each a factor of the option lr, by the number of steps done.
 *
 * Sources: cosine and constant as transformers and diffusers have them (get_cosine_schedule_with_warmup and its
 * like), warm-up, stable, decay as transformers' get_wsd_schedule, the inverse square root of Karras et al.,
 * "Analyzing and Improving the Training Dynamics of Diffusion Models", arXiv 2312.02696.
 */
#include "train/lr.h"

#include "base/error.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* ---- shapes: from 0 at q = 0 to 1 at q = 1; a decay runs through them backwards ---- */

static double cosine(double q)
{
    return 0.5 * (1 - cos(pi * q));
}

static double line(double q)
{
    return q;
}

static double root(double q)
{
    return 1 - sqrt(1 - q);
}

static const struct {
    const char *name;
    double (*rise)(double q);
} shapes[] = {{"cosine", cosine}, {"linear", line}, {"1-sqrt", root}};

const char *mdm_lr_shape_name(int i)
{
    return i >= 0 && i < (int)MDM_LENGTH(shapes) ? shapes[i].name : NULL;
}

/* ---- schedules, behind the warm-up ---- */

static double stay(const struct mdm_lr_options *r, double step)
{
    (void)r;
    (void)step;
    return 1;
}

/* Half a wave to the end, which past it goes up again, as it does in the programs that it is from. */
static double fall_all_along(const struct mdm_lr_options *r, double step)
{
    const double q = (step - r->warmup_steps) / ((double)r->lr_steps - r->warmup_steps);

    return q > 0 ? cosine(1 - q) : 1;
}

static double fall_at_the_end(const struct mdm_lr_options *r, double step)
{
    const double left = ((double)r->lr_steps - step) / (double)r->decay_steps;

    return left >= 1 ? 1 : left > 0 ? shapes[r->decay_shape].rise(left) : 0;
}

static double fall_by_the_root(const struct mdm_lr_options *r, double step)
{
    return step > r->decay_after ? sqrt(r->decay_after / step) : 1;
}

static const struct mdm_lr_form schedules[] = {
    {"constant", stay, 0, 0, 0},
    {"cosine", fall_all_along, 1, 0, 1},
    {"wsd", fall_at_the_end, 1, 1, 0},
    {"inverse_sqrt", fall_by_the_root, 0, 0, 0},
};

const struct mdm_lr_form *mdm_lr_form_of(const struct mdm_lr_options *r)
{
    return &schedules[r->lr_schedule];
}

const char *mdm_lr_schedule_name(int i)
{
    return i >= 0 && i < (int)MDM_LENGTH(schedules) ? schedules[i].name : NULL;
}

double mdm_lr_factor(const struct mdm_lr_options *r, int64_t at)
{
    const double step = (double)at;
    double factor = mdm_lr_form_of(r)->factor(r, step);

    if (mdm_lr_form_of(r)->ends)
        factor = r->decay_to + (1 - r->decay_to) * factor;
    if (step < r->warmup_steps)
        factor *= r->warmup_from + (1 - r->warmup_from) * shapes[r->warmup_shape].rise(step / r->warmup_steps);
    return factor;
}
