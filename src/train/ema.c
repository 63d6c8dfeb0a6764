/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The exponential moving average of the weights as ema_pytorch (0.2) keeps it: every `every`-th update; a copy while
 * s <= start, then decay 1 - (1 + e/inv_gamma)^-power with e = s - start, at most `decay`.
 */
#include "train/optimizer.h"

#include <math.h>

int mdm_ema_mode(const struct mdm_ema_rule *rule, int64_t s, double *decay)
{
    double e = (double)(s - rule->start), d;

    *decay = 0;
    if (!rule->on || s % rule->every)
        return 0;
    if (s <= rule->start)
        return 1;
    d = 1 - pow(1 + e / rule->inv_gamma, -rule->power);
    *decay = d < 0 ? 0 : d > rule->decay ? rule->decay : d;
    return 2;
}
