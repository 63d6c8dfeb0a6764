/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DPM-Solver++ (Lu et al. 2022, arXiv 2211.01095, algorithm 2 and appendix B): the probability flow in h, the step of
 * half the log signal-to-noise ratio, with the clean image taken as a polynomial through this evaluation and one or
 * two before. Order 1 alone is DDIM at eta 0. Its stochastic form has fresh noise in every step, as ancestral
 * sampling has; the same weights are then those of 2 h.
 *
 * On processes that preserve variance its times end at the least noise: the last x is the image.
 */
#include "base/error.h"
#include "diffusion/method.h"

#include <math.h>

struct options {
    int64_t steps, order, low_order_below;
    unsigned dpmpp_kind;
    int sde, euler_at_final;
};

static const struct mdm_option rows[] = {
    {MDM_STEPS(options, "50")},
    {MDM_ORDER(options, "2")},
    {MDM_LOW_ORDER_BELOW(options, "10")},
    {MDM_CHOICE(options, dpmpp_kind), .standard = "midpoint", .choices = "midpoint|heun",
     .help = "how order 2 weighs the change of the image: by its rule of the midpoint or of Heun"},
    {MDM_OPTION(options, sde), .standard = "false", .alias = "stochastic", .help = "fresh noise in every step"},
    {MDM_OPTION(options, euler_at_final), .standard = "false", .help = "the last step is of order 1 in any case"},
};
static const struct mdm_option_table table = {
    "dpmpp", "", "order 2 or 3 over the last steps", rows, MDM_LENGTH(rows), sizeof(struct options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    const struct mdm_process *p = s->scheduler->process;
    struct options o;

    mdm_options_read(options, &table, &o);
    s->steps = o.steps;
    s->order = o.order;
    s->low_order_below = o.low_order_below;
    s->heun_weights = o.dpmpp_kind != 0;
    s->sde = o.sde;
    s->euler_at_final = o.euler_at_final;
    s->looks_back = (int)o.order - 1;
    s->needs_trace = 1;
    if (!(p->last > p->first))
        return mdm_fail(MASKDM_EINVAL, "dpmpp needs a schedule of at least 2 timesteps");
    return MASKDM_OK;
}

/* A step to no noise at all is of order 1, since its h is infinite. */
static int64_t order_of(const struct mdm_method *s, int64_t e)
{
    const int few = s->steps < s->low_order_below;
    const int64_t left = s->steps - e, known = e - s->restart + 1, most = known < s->order ? known : s->order;

    if (left == 1 && (few || s->euler_at_final || s->way[e].to.level.noise == 0))
        return 1;
    return left == 2 && few && most > 2 ? 2 : most;
}

/* With the clean image m0 + D1 r + D2 r^2 at the share r of a step, D1 and D2 from the divided differences of two or
 * three evaluations: what a step of width k adds for D1 and D2, over `signal`. Of D2 that is half of what the
 * polynomial has: the authors take a difference for a derivative there, and all programs have their numbers. It makes
 * order 3 one of order 2 with less error; UniPC's is what it says. */
static double weight_1(double k)
{
    return expm1(-k) / k + 1;
}

static double weight_2(double k)
{
    return 0.5 - (expm1(-k) + k) / (k * k);
}

/* The changes between evaluations, each over its own width: what the next x has of them. */
static void look_back(const struct mdm_method *s, int64_t e, double signal, double k, struct mdm_terms *next)
{
    const struct mdm_way *way = s->way + e;
    const double step = way->from.ratio - way->to.ratio, before = way[-1].from.ratio - way->from.ratio;
    double change[2] = {-signal * expm1(-k) / 2}; /* of D1's share, the last change first */

    if (order_of(s, e) == 3) {
        const double r0 = before / step, r1 = (way[-2].from.ratio - way[-1].from.ratio) / step;
        const double w1 = signal * weight_1(k), w2 = signal * weight_2(k), both = r0 + r1;

        change[0] = w1 * (1 + r0 / both) + w2 / both;
        change[1] = -(w1 * r0 + w2) / both / r1;
    } else if (s->heun_weights) {
        change[0] = signal * weight_1(k);
    }
    change[0] *= step / before;
    next->x0 += change[0];
    next->before[0] = change[1] - change[0];
    next->before[1] = -change[1];
}

static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    const struct mdm_stop from = s->way[e].from, to = s->way[e].to;
    const double step = from.ratio - to.ratio, k = s->sde ? 2 * step : step, signal = to.level.signal;

    *out = (struct mdm_evaluation){.step = e, .at = from, .before_x = 1, .next = {.x0 = 1}};
    if (to.level.noise == 0)
        return MASKDM_OK;
    out->next.x = to.level.noise / from.level.noise * exp(step - k);
    out->next.x0 = -signal * expm1(-k);
    out->next.z = s->sde ? to.level.noise * sqrt(-expm1(-k)) : 0;
    if (order_of(s, e) > 1 && step > 0)
        look_back(s, e, signal, k, &out->next);
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_dpmpp = {.name = "dpmpp",
                                                  .options = &table,
                                                  .stops_before = 1,
                                                  .listing = MDM_LISTING_SHORT,
                                                  .read = read,
                                                  .evaluation = evaluation};
