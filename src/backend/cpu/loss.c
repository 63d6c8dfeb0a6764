/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The masked loss and its gradient: one image after the other on one thread each, summed in double in the order of
 * its values. A row of a patch is a run of p*C values both in pred and in the image.
 */
#include "backend/cpu/loss.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

/* ---- what an error costs, and how fast that grows; NaN in both where the error is NaN ---- */

typedef double (*cost)(double d, double delta, double *slope);

static inline double square(double d, double delta, double *slope)
{
    (void)delta;
    *slope = 2 * d;
    return d * d;
}

static inline double absolute(double d, double delta, double *slope)
{
    (void)delta;
    *slope = (d > 0) - (d < 0) + 0 * d;
    return fabs(d);
}

static inline double huber(double d, double delta, double *slope)
{
    const double a = fabs(d);

    *slope = a <= delta ? d : ((d > 0) - (d < 0)) * delta + 0 * d;
    return a <= delta ? d * d / 2 : delta * (a - delta / 2);
}

static inline double smooth_absolute(double d, double delta, double *slope)
{
    const double sum = huber(d, delta, slope);

    *slope /= delta;
    return sum / delta;
}

/* sqrt(d^2 + c^2) - c, written so that nothing cancels where d is small. */
static inline double pseudo_huber(double d, double delta, double *slope)
{
    const double root = sqrt(d * d + delta * delta);

    *slope = d / root;
    return d * d / (root + delta);
}

/* ---- a run of values ---- */

static inline void compare(double *sum, float *dpred, const float *pred, const float *target, int64_t n,
                           double delta, double scale, cost of)
{
    for (int64_t i = 0; i < n; i++) {
        double slope;

        *sum += of((double)pred[i] - (double)target[i], delta, &slope);
        if (dpred)
            dpred[i] = (float)(scale * slope);
    }
}

#define RUN(name, of)                                                                                                \
    static void name(double *sum, float *dpred, const float *pred, const float *target, int64_t n, double delta,     \
                     double scale)                                                                                   \
    {                                                                                                                \
        compare(sum, dpred, pred, target, n, delta, scale, of);                                                      \
    }
RUN(run_l2, square)
RUN(run_l1, absolute)
RUN(run_huber, huber)
RUN(run_smooth_l1, smooth_absolute)
RUN(run_pseudo_huber, pseudo_huber)

const mdm_loss_run mdm_loss_runs_c[MDM_LOSSES] = {
    [MDM_LOSS_L2] = run_l2,
    [MDM_LOSS_L1] = run_l1,
    [MDM_LOSS_HUBER] = run_huber,
    [MDM_LOSS_SMOOTH_L1] = run_smooth_l1,
    [MDM_LOSS_PSEUDO_HUBER] = run_pseudo_huber,
    [MDM_LOSS_PSEUDO_HUBER_IMAGE] = run_l2,
};

/* ---- an image ---- */

struct sweep {
    const struct mdm_loss *job;
    const mdm_loss_run *runs;
};

/* The same pixel by pixel, where pred has channels that the image has not, or the image such that pred has not. */
static void compare_pixels(double *sum, float *dpred, const float *pred, const float *target,
                           const struct sweep *s, double scale)
{
    const struct mdm_loss *j = s->job;
    const size_t more = (size_t)(j->outputs - j->channels) * sizeof *dpred;

    for (int64_t i = 0; i < j->patch; i++, pred += j->outputs, target += j->beside.channels) {
        s->runs[j->kind](sum, dpred, pred, target, j->channels, j->delta, scale);
        if (!dpred)
            continue;
        memset(dpred + j->channels, 0, more);
        dpred += j->outputs;
    }
}

/* The sum over image b's visible values, and into dpred `scale` times what each adds to it. */
static double sweep(const struct sweep *s, int64_t b, float *dpred, double scale)
{
    const struct mdm_loss *j = s->job;
    const int64_t depth = j->beside.channels, row = j->width * depth, across = j->width / j->patch;
    const int64_t step = j->patch * j->outputs;
    int64_t at = b * j->beside.pred;
    double sum = 0;

    for (int64_t k = 0; k < j->visible; k++) {
        int64_t patch = j->index[b * j->beside.index + k] - j->beside.first;
        int64_t top = b * j->height + patch / across * j->patch, left = patch % across * j->patch * depth;

        for (int64_t r = 0; r < j->patch; r++, at += step) {
            const float *target = j->target + (top + r) * row + left;
            float *to = dpred ? dpred + at : NULL;

            if (j->outputs == j->channels && j->channels == depth)
                s->runs[j->kind](&sum, to, j->pred + at, target, step, j->delta, scale);
            else
                compare_pixels(&sum, to, j->pred + at, target, s, scale);
        }
    }
    return sum;
}

/* Image b, whose differences count as one. */
static void compare_whole(const struct sweep *s, int64_t b)
{
    const struct mdm_loss *j = s->job;
    const double delta = j->deltas ? j->deltas[b] : j->delta;
    const double sum = sweep(s, b, NULL, 0), root = sqrt(sum + delta * delta);

    j->loss[b] = root == 0 ? 0 : j->weight[b] * (sum / (root + delta));
    if (j->dpred)
        sweep(s, b, j->dpred, root == 0 ? 0 : j->scale * j->weight[b] / (2 * root));
}

static void compare_image(void *arg, int64_t b, int worker)
{
    const struct sweep *s = arg;
    const struct mdm_loss *j = s->job;
    const double count = (double)(j->visible * j->patch * j->patch * j->channels);

    (void)worker;
    if (j->kind == MDM_LOSS_PSEUDO_HUBER_IMAGE) {
        compare_whole(s, b);
        return;
    }
    j->loss[b] = j->weight[b] * (sweep(s, b, j->dpred, j->scale * j->weight[b] / count) / count);
}

static struct mdm_loss counted(const struct mdm_loss *job)
{
    struct mdm_loss copy = *job;

    if (!copy.outputs)
        copy.outputs = copy.channels;
    if (!copy.beside.channels)
        copy.beside.channels = copy.channels;
    if (!copy.beside.pred)
        copy.beside.pred = copy.visible * copy.patch * copy.patch * copy.outputs;
    if (!copy.beside.index)
        copy.beside.index = copy.visible;
    return copy;
}

int mdm_cpu_loss(struct mdm_backend *b, const struct mdm_loss *j)
{
    const struct mdm_loss job = counted(j);
    struct sweep s = {&job, mdm_cpu_of(b)->f32.loss};

    return mdm_pool_run(mdm_cpu_of(b)->pool, j->batch, compare_image, &s);
}

void mdm_loss_on_host(const struct mdm_loss *j)
{
    const struct mdm_loss job = counted(j);
    struct sweep s = {&job, mdm_loss_runs_c};

    for (int64_t b = 0; b < j->batch; b++)
        compare_image(&s, b, 0);
}
