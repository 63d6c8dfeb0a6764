/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of methods.
 */
#include "base/error.h"
#include "diffusion/method.h"

static const struct mdm_method_class *const classes[] = {&mdm_method_ddim,  &mdm_method_ddpm,
                                                         &mdm_method_dpmpp, &mdm_method_unipc,
                                                         &mdm_method_euler, &mdm_method_euler_ancestral,
                                                         &mdm_method_heun,  &mdm_method_consistency};

const struct mdm_option_table *mdm_method_table_at(int i)
{
    return (size_t)i < MDM_LENGTH(classes) ? classes[i]->options : NULL;
}

const struct mdm_method_class *mdm_method_class_at(int i)
{
    return classes[i];
}
