/* SPDX-License-Identifier: BSD-2-Clause
 *
 * UniPC (Zhao et al. 2023, arXiv 2302.04867): DPM-Solver++'s predictor of any order and, with the evaluation at what
 * it predicted, a correction of that x for the step behind, at no further cost: the network is not asked again at the
 * corrected x, which the next step begins with. So what a step keeps is a corrected x, and both sums are linear in
 * the x0 of this evaluation and of those before.
 */
#include "base/error.h"
#include "diffusion/method.h"

#include <math.h>

enum { MOST = 3 }; /* order */

struct options {
    int64_t steps, order, low_order_below;
    unsigned unipc_kind;
};

static const struct mdm_option rows[] = {
    {MDM_STEPS(options, "50")},
    {MDM_ORDER(options, "2")},
    {MDM_LOW_ORDER_BELOW(options, "100001")},
    {MDM_CHOICE(options, unipc_kind), .standard = "bh2", .choices = "bh1|bh2",
     .help = "the authors' B(h): h, or exp(h) - 1"},
};
static const struct mdm_option_table table = {"unipc",
                                              "",
                                              "order 2 or 3 over the last steps, each corrected in the next",
                                              rows,
                                              MDM_LENGTH(rows),
                                              sizeof(struct options)};

static int read(struct mdm_method *s, const maskdm_options *options)
{
    const struct mdm_process *p = s->scheduler->process;
    struct options o;

    mdm_options_read(options, &table, &o);
    s->steps = o.steps;
    s->order = o.order;
    s->low_order_below = o.low_order_below;
    s->bh1 = o.unipc_kind == 0;
    s->looks_back = (int)o.order;
    s->needs_trace = 1;
    if (!(p->last > p->first))
        return mdm_fail(MASKDM_EINVAL, "unipc needs a schedule of at least 2 timesteps");
    return MASKDM_OK;
}

/* It falls towards the end, so that the last step is of order 1; a step to no noise at all is so anyway. */
static int order_of(const struct mdm_method *s, int64_t e)
{
    int64_t known = e - s->restart + 1, order = known < s->order ? known : s->order;

    if (s->steps < s->low_order_below && s->steps - e < order)
        order = s->steps - e;
    return s->way[e].to.level.noise == 0 ? 1 : (int)order;
}

/* rho in sum over i of rho[i] node[i]^j = b[j], left in b (Golub and Van Loan, algorithm 4.6.2). */
static void solve(int n, const double *node, double *b)
{
    for (int k = 0; k < n - 1; k++)
        for (int i = n - 1; i > k; i--)
            b[i] -= node[k] * b[i - 1];
    for (int k = n - 2; k >= 0; k--) {
        for (int i = k + 1; i < n; i++)
            b[i] /= node[i] - node[i - k - 1];
        for (int i = k; i < n - 1; i++)
            b[i] -= b[i + 1];
    }
}

/* A step as a sum: of the x that it begins with, the x0 there and of evaluations before, and the x0 at its end. */
struct sum {
    double x, x0[MOST], end;
};

/* `corrects`: with the x0 at its end, else without. */
static struct sum step_sum(const struct mdm_method *s, int64_t e, int corrects)
{
    const struct mdm_stop from = s->way[e].from, to = s->way[e].to;
    const int order = order_of(s, e);
    const double h = to.ratio - from.ratio, phi_1 = expm1(h), scale = s->bh1 ? h : phi_1; /* h < 0 */
    struct sum out = {.x = to.level.noise / from.level.noise, .x0 = {-to.level.signal * phi_1}};
    double node[MOST], rho[MOST], phi = phi_1 / h - 1, factorial = 1;

    for (int i = 0; i < order; i++) {
        node[i] = i + 1 == order ? 1 : (s->way[e - 1 - i].from.ratio - from.ratio) / h;
        rho[i] = phi * factorial / scale;
        factorial *= i + 2;
        phi = phi / h - 1 / factorial;
    }
    if (order == (corrects ? 1 : 2))
        rho[0] = 0.5; /* as the authors have it, for both kinds */
    else
        solve(corrects ? order : order - 1, node, rho);
    for (int i = 0; i < order - !corrects; i++) {
        const double share = -to.level.signal * scale * rho[i] / node[i];

        *(i + 1 == order ? &out.end : &out.x0[i + 1]) = share;
        out.x0[0] -= share;
    }
    return out;
}

static void predict(const struct mdm_method *s, int64_t e, const struct mdm_terms *begin, struct mdm_terms *next)
{
    const struct sum p = step_sum(s, e, 0);

    *next = (struct mdm_terms){.x = p.x * begin->x, .start = p.x * begin->start, .x0 = p.x * begin->x0 + p.x0[0]};
    for (int i = 0; i < MDM_BEFORE; i++)
        next->before[i] = p.x * begin->before[i] + (i + 1 < MOST ? p.x0[i + 1] : 0);
}

static int evaluation(const struct mdm_method *s, int64_t e, struct mdm_evaluation *out)
{
    const struct mdm_stop from = s->way[e].from, to = s->way[e].to;

    *out = (struct mdm_evaluation){.step = e, .at = from, .before_x = 1, .kept = {.x = 1}, .next = {.x0 = 1}};
    if (e > s->restart) {
        const struct sum c = step_sum(s, e - 1, 1);

        out->kept = (struct mdm_terms){.start = c.x, .x0 = c.end, .before = {c.x0[0], c.x0[1], c.x0[2]}};
    }
    out->keeps = e + 1 < s->steps;
    if (to.ratio == from.ratio)
        out->next = out->kept;
    else if (to.level.noise > 0)
        predict(s, e, &out->kept, &out->next);
    return MASKDM_OK;
}

const struct mdm_method_class mdm_method_unipc = {.name = "unipc",
                                                  .options = &table,
                                                  .keeps = 1,
                                                  .stops_before = 1,
                                                  .listing = MDM_LISTING_SHORT,
                                                  .read = read,
                                                  .evaluation = evaluation};
