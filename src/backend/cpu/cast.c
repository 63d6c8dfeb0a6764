/* SPDX-License-Identifier: BSD-2-Clause
 *
 * narrow and widen, of which there is nothing to do where programs are of one type: y = x.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    return REAL(mdm_cpu_accumulate)(b, c->out[0], 0, c->in[0], mdm_shape_numel(c->in_shape[0]));
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    const int64_t n = mdm_shape_numel(c->in_shape[0]);

    if (!c->din[0])
        return MASKDM_OK;
    if (c->dout[0])
        return REAL(mdm_cpu_accumulate)(b, c->din[0], c->add[0], c->dout[0], n);
    if (!c->add[0])
        memset(c->din[0], 0, (size_t)n * sizeof(real));
    return MASKDM_OK;
}

const struct mdm_kernel REAL(mdm_cpu_narrow) = {.forward = forward, .backward = backward};
const struct mdm_kernel REAL(mdm_cpu_widen) = {.forward = forward, .backward = backward};
