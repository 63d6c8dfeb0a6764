/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Both factors are packed four rows side by side and multiplied four by four, each sum over the terms in order.
 */
#include "metric/product.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

enum { WIDE = 4 };
#define TELL_EVERY 1.0 /* seconds: what takes less is a step of something that tells of itself */

/* Four sums side by side; whatever lanes the machine has, each sum is its own. */
typedef double four __attribute__((vector_size(WIDE * sizeof(double))));

static double term(const struct mdm_rows *r, int64_t i, int64_t k)
{
    const int64_t at = (r->index ? r->index[i] : i) * r->row + k * r->step;
    const double x = r->single ? (double)r->single[at] : r->wide[at];

    return r->shift ? x - r->shift[i * r->shift_row + k * r->shift_step] : x;
}

/* `count` terms, `step` apart in memory and `apart` in out. */
static void widen(double *out, int64_t apart, const struct mdm_rows *r, int64_t at, int64_t step, int64_t count)
{
    if (r->single)
        for (int64_t k = 0; k < count; k++)
            out[k * apart] = (double)r->single[at + k * step];
    else
        for (int64_t k = 0; k < count; k++)
            out[k * apart] = r->wide[at + k * step];
}

/* Terms [k0, k0 + depth) of a span whose rows lie in one piece, in groups of four: group, term, row. Rows that are
 * not there are zeros. */
static void pack_rows(double *out, struct mdm_strip s, int64_t k0, int64_t depth)
{
    const struct mdm_rows *r = s.rows;

    for (int64_t i = 0; i < (s.count + WIDE - 1) / WIDE * WIDE; i++) {
        const int64_t row = s.first + i;
        double *to = out + i / WIDE * WIDE * depth + i % WIDE;

        if (i < s.count)
            widen(to, WIDE, r, (r->index ? r->index[row] : row) * r->row + k0, 1, depth);
        for (int64_t k = 0; i < s.count && r->shift && k < depth; k++)
            to[k * WIDE] -= r->shift[row * r->shift_row + (k0 + k) * r->shift_step];
        for (int64_t k = 0; i >= s.count && k < depth; k++)
            to[k * WIDE] = 0;
    }
}

/* The same where neighbouring rows are side by side, read in that order. */
static void pack_columns(double *out, struct mdm_strip s, int64_t k0, int64_t depth)
{
    for (int64_t k = 0; k < depth; k++)
        for (int64_t i = 0; i < (s.count + WIDE - 1) / WIDE * WIDE; i++)
            out[i / WIDE * WIDE * depth + k * WIDE + i % WIDE] = i < s.count ? term(s.rows, s.first + i, k0 + k) : 0;
}

static void pack_span(double *out, struct mdm_strip s, int64_t k0, int64_t depth)
{
    if (s.rows->step == 1)
        pack_rows(out, s, k0, depth);
    else
        pack_columns(out, s, k0, depth);
}

static void multiply(four out[WIDE], const double *a, const double *b, int64_t depth)
{
    four s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};

    for (int64_t k = 0; k < depth; k++, a += WIDE, b += WIDE) {
        four x;

        memcpy(&x, b, sizeof x);
        s0 += a[0] * x;
        s1 += a[1] * x;
        s2 += a[2] * x;
        s3 += a[3] * x;
    }
    out[0] = s0;
    out[1] = s1;
    out[2] = s2;
    out[3] = s3;
}

static void add_block(double *out, int64_t pitch, const four sum[WIDE], int64_t m, int64_t n)
{
    for (int64_t i = 0; i < m && i < WIDE; i++)
        for (int64_t j = 0; j < n && j < WIDE; j++)
            out[i * pitch + j] += sum[i][j];
}

void mdm_product_tile(double *out, int64_t pitch, struct mdm_strip a, struct mdm_strip b, int64_t depth,
                      struct mdm_product_room *room)
{
    for (int64_t k0 = 0; k0 < depth; k0 += MDM_PRODUCT_DEPTH) {
        const int64_t d = depth - k0 < MDM_PRODUCT_DEPTH ? depth - k0 : MDM_PRODUCT_DEPTH;

        pack_span(room->a, a, k0, d);
        pack_span(room->b, b, k0, d);
        for (int64_t i = 0; i < a.count; i += WIDE)
            for (int64_t j = 0; j < b.count; j += WIDE) {
                four sum[WIDE];

                multiply(sum, room->a + i * d, room->b + j * d, d);
                add_block(out + i * pitch + j, pitch, sum, a.count - i, b.count - j);
            }
    }
}

double mdm_product_pair(const float *x, const float *y, int64_t depth)
{
    double all = 0;

    for (int64_t k0 = 0; k0 < depth; k0 += MDM_PRODUCT_DEPTH) {
        double sum = 0;

        for (int64_t k = k0; k < depth && k < k0 + MDM_PRODUCT_DEPTH; k++)
            sum += (double)x[k] * (double)y[k];
        all += sum;
    }
    return all;
}

int mdm_rows_check(const float *rows, int64_t count, int64_t width, int64_t first, int status)
{
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < width; j++)
            if (!isfinite(rows[i * width + j]))
                return mdm_fail(status, "feature %lld of row %lld is %g", (long long)j, (long long)(first + i),
                                (double)rows[i * width + j]);
    return MASKDM_OK;
}

struct mdm_product_room *mdm_product_rooms(maskdm_device *device)
{
    const size_t bytes = (size_t)mdm_device_workers(device) * sizeof(struct mdm_product_room);

    return mdm_need_aligned(bytes, "the products of a metric");
}

/* ---- loops ---- */

struct piece {
    mdm_try_body body;
    void *arg;
    int64_t first;
};

static int run_one(void *arg, int64_t i, int worker)
{
    const struct piece *p = arg;

    return p->body(p->arg, p->first + i, worker);
}

void mdm_metric_tell(maskdm_control *control, double *told, int64_t step, int64_t steps)
{
    struct maskdm_progress progress = mdm_progress_blank();

    if (!control || mdm_clock() - *told < TELL_EVERY)
        return;
    *told = mdm_clock();
    progress.step = step;
    progress.steps = steps;
    mdm_control_report(control, &progress);
}

int mdm_metric_loop(maskdm_device *device, maskdm_control *control, const char *what, int64_t n, mdm_try_body body,
                    void *arg)
{
    struct piece p = {body, arg, 0};
    const int64_t at_once = 2 * (int64_t)mdm_device_workers(device);
    double told = mdm_clock();

    while (p.first < n) {
        const int64_t count = n - p.first < at_once ? n - p.first : at_once;
        int status = mdm_device_enter(device);

        if (status >= 0) {
            status = mdm_device_loop(device, count, run_one, &p);
            mdm_device_leave(device);
        }
        MDM_TRY(status);
        p.first += count;
        if (p.first < n)
            mdm_metric_tell(control, &told, p.first, n);
        MDM_TRY(mdm_control_check(control, what));
    }
    return MASKDM_OK;
}
