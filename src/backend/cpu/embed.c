/* SPDX-License-Identifier: BSD-2-Clause
 *
 * embed: one row of the table per image by its label; label -1 takes the null row, the table's last, or zeros.
 */
#include "backend/cpu/rows.h"
#include "base/error.h"

#include <string.h>

/* Elements before a label's row in the table; where label -1 has none there, -1 stands for what it has. */
static int64_t find_row(const struct mdm_call *c, int32_t label)
{
    int64_t rows = c->in_shape[1]->d[0], d = c->in_shape[1]->d[1];

    return label >= 0 ? label * d : c->in_shape[2] || c->attr[0] ? -1 : (rows - 1) * d;
}

/* Labels come from data, so they are looked at here once more before they address memory. */
static int check_labels(const struct mdm_call *c)
{
    const int32_t *label = c->in[0];
    int64_t n = mdm_shape_numel(c->in_shape[0]), classes = c->in_shape[1]->d[0];

    for (int64_t i = 0; i < n; i++)
        if (label[i] < -1 || label[i] >= classes)
            return mdm_fail(MASKDM_EINVAL, "label %ld is not in -1 to %ld", (long)label[i], (long)classes - 1);
    return MASKDM_OK;
}

static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const int32_t *label = c->in[0];
    const real *table = c->in[1], *none = c->in[2];
    real *y = c->out[0];
    int64_t n = mdm_shape_numel(c->in_shape[0]), d = mdm_shape_last(c->out_shape[0]);

    (void)b;
    MDM_TRY(check_labels(c));
    for (int64_t i = 0; i < n; i++) {
        const int64_t row = find_row(c, label[i]);

        if (row < 0 && !none)
            memset(y + i * d, 0, (size_t)d * sizeof(real));
        else
            memcpy(y + i * d, row < 0 ? none : table + row, (size_t)d * sizeof(real));
    }
    return MASKDM_OK;
}

static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    const int32_t *label = c->in[0];
    const real *dy = c->dout[0];
    real *dtable = c->din[1], *dnone = c->din[2];
    int64_t n = mdm_shape_numel(c->in_shape[0]), d = mdm_shape_last(c->out_shape[0]);

    MDM_TRY(check_labels(c));
    for (int i = 1; i <= 2; i++)
        if (c->din[i] && !c->add[i])
            memset(c->din[i], 0, (size_t)mdm_shape_numel(c->in_shape[i]) * sizeof(real));
    for (int64_t i = 0; dy && i < n; i++) {
        const int64_t row = find_row(c, label[i]);
        real *to = row < 0 ? dnone : dtable ? dtable + row : NULL;
        if (to)
            REAL(mdm_rows_of)(b)->add(to, to, dy + i * d, d);
    }
    return MASKDM_OK;
}

const struct mdm_kernel REAL(mdm_cpu_embed) = {.forward = forward, .backward = backward};
