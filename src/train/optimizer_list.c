/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of optimizers, in the order in which the option lists them.
 */
#include "train/optimizer.h"

#include "base/error.h"

static const struct mdm_optimizer_class plain = {.name = "adamw"};

static const struct mdm_optimizer_class *const kinds[] = {&plain, &mdm_muon};

const struct mdm_optimizer_class *mdm_optimizer_class_at(int i)
{
    return i >= 0 && i < (int)MDM_LENGTH(kinds) ? kinds[i] : NULL;
}
