/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all processes share.
 */
#include "diffusion/process.h"

#include "base/alloc.h"
#include "base/error.h"

#include <math.h>

void mdm_process_release(struct mdm_process **p)
{
    if (*p && (*p)->kind->release)
        (*p)->kind->release(*p);
    else
        mdm_free(*p);
    *p = NULL;
}

/* Written so that NaN fails. */
int mdm_process_check(const struct mdm_process *p, double time)
{
    if (!(time >= p->first && time <= p->last))
        return mdm_fail(MASKDM_EINVAL, "time %g is outside %g .. %g of process %s", time, p->first, p->last,
                        p->kind->name);
    return MASKDM_OK;
}

struct mdm_level mdm_process_at(const struct mdm_process *p, double time)
{
    return time == p->image ? (struct mdm_level){1, 0} : p->kind->at(p, time);
}

double mdm_process_input_scale(const struct mdm_process *p, double time)
{
    return p->kind->input_scale ? p->kind->input_scale(p, time) : 1;
}

double mdm_process_shift(const struct mdm_process *p, double time)
{
    return p->shift * time / (1 + (p->shift - 1) * time);
}

double mdm_process_time_of(const struct mdm_process *p, double ratio)
{
    return fmin(fmax(p->kind->time_of(p, ratio), p->first), p->last);
}

double mdm_process_turn(const struct mdm_process *p, struct mdm_level at)
{
    const struct mdm_level slope = p->kind->slope(p, at);

    return at.signal * slope.noise - slope.signal * at.noise;
}

struct mdm_path mdm_process_path(const struct mdm_process *p, double time, struct mdm_level at)
{
    return p->kind->path ? p->kind->path(p, time) : (struct mdm_path){at.signal, at.noise / at.signal};
}
