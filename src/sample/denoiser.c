/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all denoisers have in common.
 */
#include "base/error.h"
#include "sample/denoiser.h"

void mdm_denoiser_release(struct mdm_denoiser **d)
{
    struct mdm_denoiser *gone = *d;

    *d = NULL;
    if (!gone)
        return;
    gone->kind->rest(gone);
    gone->kind->release(gone);
}

int mdm_denoiser_narrow(struct mdm_denoiser *d, const int32_t *patch, int64_t visible)
{
    if (d->kind->narrow)
        return d->kind->narrow(d, patch, visible);
    return patch ? mdm_fail(MASKDM_EINVAL, "surround leaves patches out, and %s always sees all", d->kind->whole)
                 : MASKDM_OK;
}
