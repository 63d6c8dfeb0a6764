/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names, and what stands for delta where nothing is said.
 */
#include "train/loss.h"

#include "base/error.h"
#include "text/text.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *name;
    double delta; /* 0: it has none */
} kinds[MDM_LOSSES] = {
    [MDM_LOSS_L2] = {"l2", 0},
    [MDM_LOSS_L1] = {"l1", 0},
    [MDM_LOSS_HUBER] = {"huber", 1},
    [MDM_LOSS_SMOOTH_L1] = {"smooth_l1", 1},
    [MDM_LOSS_PSEUDO_HUBER] = {"pseudo_huber", 0.03},
    [MDM_LOSS_PSEUDO_HUBER_IMAGE] = {"pseudo_huber_image", 0.03},
};

const char *mdm_loss_name(int i)
{
    return i >= 0 && i < MDM_LOSSES ? kinds[i].name : NULL;
}

int mdm_loss_find(enum mdm_loss_kind *out, const char *name)
{
    struct mdm_text names = {0};
    int status;

    for (int i = 0; i < MDM_LOSSES; i++)
        if (!strcmp(kinds[i].name, name)) {
            *out = (enum mdm_loss_kind)i;
            return MASKDM_OK;
        }
    for (int i = 0; i < MDM_LOSSES; i++)
        mdm_text_addf(&names, "%s%s", i ? "|" : "", kinds[i].name);
    status = mdm_text_ok(&names);
    if (status == MASKDM_OK)
        status = mdm_fail(MASKDM_ENOTFOUND, "there is no loss \"%.40s\", but %s", name, names.data);
    mdm_text_free(&names);
    return status;
}

int mdm_loss_delta(double *out, enum mdm_loss_kind kind, double delta, const char *said)
{
    *out = delta != 0 ? delta : kinds[kind].delta;
    if (delta != 0 && kinds[kind].delta == 0)
        return mdm_fail(MASKDM_EINVAL, "%s %g has no meaning for loss %s", said, delta, kinds[kind].name);
    if (!(delta >= 0) || isinf(delta))
        return mdm_fail(MASKDM_EINVAL, "%s is %g, not above 0", said, delta);
    return MASKDM_OK;
}
