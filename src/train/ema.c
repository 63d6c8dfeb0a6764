/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The exponential moving average of the weights as ema_pytorch (0.2) keeps it: every `every`-th update; a copy while
 * s <= start, then decay 1 - (1 + e/inv_gamma)^-power with e = s - start, at most `decay`.
 */
#include "train/optimizer.h"

#include "base/error.h"

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

int mdm_optimizer_update_ema(maskdm_optimizer *o)
{
    struct mdm_backend *b;
    double decay;
    int mode, status = MASKDM_OK;

    MDM_TRY(mdm_optimizer_check(o));
    if (!o->ema || o->last_skipped)
        return MASKDM_OK;
    mode = mdm_ema_mode(&o->rule, o->ema_updates, &decay);
    b = mdm_device_backend(o->device);
    if (mode) {
        MDM_TRY(mdm_device_enter(o->device));
        status = b->v->ema(b, o->ema, o->weights, o->length, mode, decay);
        mdm_device_leave(o->device);
        o->torn = status < 0 && status != MASKDM_EBUSY; /* which is before it began */
    }
    if (status == MASKDM_OK)
        o->ema_updates++;
    return status;
}
