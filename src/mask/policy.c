/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of mask policies, in the order in which the option lists them.
 */
#include "mask/mask.h"

#include "base/error.h"

static const struct mdm_mask_policy *const policies[] = {&mdm_mask_none,  &mdm_mask_patch, &mdm_mask_block,
                                                         &mdm_mask_crop,  &mdm_mask_grid,  &mdm_mask_partition,
                                                         &mdm_mask_custom};

const struct mdm_mask_policy *mdm_mask_policy_at(int i)
{
    return i >= 0 && i < (int)MDM_LENGTH(policies) ? policies[i] : NULL;
}
