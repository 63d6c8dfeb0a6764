/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of processes.
 */
#include "base/error.h"
#include "diffusion/process.h"

static const struct mdm_process_class *const classes[] = {&mdm_process_discrete, &mdm_process_vp, &mdm_process_edm,
                                                          &mdm_process_ve, &mdm_process_flow};

const struct mdm_process_class *mdm_process_class_at(int i)
{
    return i >= 0 && (size_t)i < MDM_LENGTH(classes) ? classes[i] : NULL;
}

const struct mdm_option_table *mdm_process_table_at(int i)
{
    const struct mdm_process_class *kind = mdm_process_class_at(i);

    return kind ? kind->options : NULL;
}
