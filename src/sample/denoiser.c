/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all denoisers have in common.
 */
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
