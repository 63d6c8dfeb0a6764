/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Options over others of their kind: what is said now over what was said once.
 */
#include "option/option_set.h"

#include "base/error.h"

int mdm_options_lay_over(maskdm_options *base, const maskdm_options *over)
{
    if (over->stages) /* what they leave open stood beside those of `base`, which hold all of it by now */
        return mdm_fail(MASKDM_EINVAL, "stages cannot be given over others");
    mdm_options_spell(base, over->spelling);
    for (int i = 0; i < base->stages; i++)
        mdm_options_spell(base->stage[i], over->spelling);
    return mdm_option_set_over(base, over);
}

const char *mdm_options_given(const maskdm_options *o, int i)
{
    for (int k = 0; k < o->count; k++)
        if (o->slot[k].set && !i--)
            return o->slot[k].name;
    return NULL;
}
