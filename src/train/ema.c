/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Averages of the weights: a table of ways in which they forget. Update s, from 0, of an average with decay d is
 * average += (1 - d) (weights - average), or a copy.
 *
 * exponential: as ema_pytorch (0.2) keeps it: every `every`-th update; a copy while s <= start, then decay
 * 1 - (1 + e/inv_gamma)^-power with e = s - start, at most `decay`.
 * power: the power function of Karras et al., arXiv 2312.02696: with n = s + 1 updates, decay (1 - 1/n)^(exponent +
 * 1) weighs the weights of update i by about i^exponent, so that what is forgotten is a share of the run. halflife:
 * decay 2^(-1/h), h being `halflife` updates or the share `ramp` of those so far.
 */
#include "train/ema.h"

#include "base/error.h"

#include <math.h>

static int exponential(const struct mdm_ema_rule *r, int width, int64_t s, double *decay)
{
    double e = (double)(s - r->start), d;

    (void)width;
    if (r->decay <= 0 || s % r->every)
        return MDM_EMA_STAYS;
    if (s <= r->start)
        return MDM_EMA_COPIES;
    d = 1 - pow(1 + e / r->inv_gamma, -r->power);
    *decay = d < 0 ? 0 : d > r->decay ? r->decay : d;
    return MDM_EMA_MOVES;
}

static int power(const struct mdm_ema_rule *r, int width, int64_t s, double *decay)
{
    if (s == 0)
        return MDM_EMA_COPIES;
    *decay = pow(1 - 1 / ((double)s + 1), r->exponent[width] + 1);
    return MDM_EMA_MOVES;
}

static int halflife(const struct mdm_ema_rule *r, int width, int64_t s, double *decay)
{
    const double grown = r->ramp * ((double)s + 1);

    (void)width;
    *decay = pow(0.5, 1 / (r->ramp > 0 && grown < r->halflife ? grown : r->halflife));
    return MDM_EMA_MOVES;
}

static const struct {
    const char *name;
    int (*mode)(const struct mdm_ema_rule *r, int width, int64_t s, double *decay);
} kinds[] = {[MDM_EMA_EXPONENTIAL] = {"exponential", exponential},
             [MDM_EMA_POWER] = {"power", power},
             [MDM_EMA_HALFLIFE] = {"halflife", halflife}};

const char *mdm_ema_name(int i)
{
    return i >= 0 && i < (int)MDM_LENGTH(kinds) ? kinds[i].name : NULL;
}

int mdm_ema_mode(const struct mdm_ema_rule *rule, int width, int64_t s, double *decay)
{
    *decay = 0;
    return rule->widths ? kinds[rule->type].mode(rule, width, s, decay) : MDM_EMA_STAYS;
}

double mdm_ema_deviation(double exponent)
{
    return sqrt((exponent + 1) / (exponent + 3)) / (exponent + 2);
}

/* The deviation falls from where the exponent is 0, and is below 1 / exponent. */
double mdm_ema_exponent(double std)
{
    double low = 0, high = 1 / std, middle = 0;

    for (int i = 0; i < 200 && high > low; i++) {
        middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        if (mdm_ema_deviation(middle) > std)
            low = middle;
        else
            high = middle;
    }
    return middle;
}

int mdm_ema_has_profile(const struct mdm_ema_rule *rule)
{
    return rule->type == MDM_EMA_POWER;
}
