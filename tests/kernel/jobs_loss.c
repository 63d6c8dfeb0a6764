/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loss and its gradient, and patches put back into images, against their formulas in double.
 */
#include "backend/cpu/loss.h"

#include "jobs.h"

#include <float.h>

/* ---- a job with the memory of the host, done in a place, and what the host does with it ---- */

struct images {
    float *pred, *target, *dpred; /* all of it, where the job begins in the midst */
    int64_t predicted, values;    /* of pred and dpred; of target */
};

static int is_like(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* Sums may differ in their last bits, and with them the gradient of an image whose differences count as one. */
static void expect_hosts(const struct mdm_loss *host, const struct images *m, const float *before)
{
    /* Two orders of n terms, none of them negative, are each within n / 2 epsilons of the sum; a term is within a
     * few. */
    const double apart = ((double)m->predicted / (double)host->batch + 8) * DBL_EPSILON;
    struct mdm_loss want = *host;
    float *dpred = draw_floats(m->predicted);
    double *loss = malloc((size_t)host->batch * sizeof *loss);

    ck_assert_ptr_nonnull(loss);
    memcpy(dpred, before, (size_t)m->predicted * sizeof *dpred);
    want.loss = loss;
    want.dpred = host->dpred ? dpred + (host->dpred - m->dpred) : NULL;
    mdm_loss_on_host(&want);
    for (int64_t b = 0; b < host->batch; b++)
        ck_assert_msg(fabs(loss[b] - host->loss[b]) <= apart * fabs(loss[b]) ||
                          (isnan(loss[b]) && isnan(host->loss[b])),
                      "loss of image %lld is %.17g, on the host %.17g", (long long)b, host->loss[b], loss[b]);
    for (int64_t i = 0; host->dpred && i < m->predicted; i++)
        if (host->kind == MDM_LOSS_PSEUDO_HUBER_IMAGE && !isnan(dpred[i]))
            ck_assert_double_eq_tol((double)m->dpred[i], (double)dpred[i], 1e-7 * fabs((double)dpred[i]) + 1e-30);
        else
            ck_assert_msg(is_like(m->dpred[i], dpred[i]), "gradient %lld is %.9g, on the host %.9g", (long long)i,
                          (double)m->dpred[i], (double)dpred[i]);
    free(dpred);
    free(loss);
}

/* The job where losses come at once, and once more where they may come late, behind other work. */
static void do_loss(struct mdm_backend *b, const struct mdm_loss *j)
{
    struct mdm_loss late = *j;
    double *loss = malloc((size_t)j->batch * sizeof *loss), squares;

    ck_assert_ptr_nonnull(loss);
    ck_assert_msg(b->v->loss(b, j) == MASKDM_OK, "%s", maskdm_last_error());
    late.late = 1;
    late.loss = NULL;
    if (b->v->collect) {
        ck_assert_msg(b->v->loss(b, &late) == MASKDM_OK, "%s", maskdm_last_error());
        ck_assert_int_eq(b->v->sum_squares(b, &squares, j->target, 1), MASKDM_OK);
        ck_assert_msg(b->v->collect(b, loss, j->batch) == MASKDM_OK, "%s", maskdm_last_error());
        ck_assert_mem_eq(loss, j->loss, (size_t)j->batch * sizeof *loss);
    }
    free(loss);
}

static void loss_in(int place, const struct mdm_loss *host, const struct images *m)
{
    struct mdm_backend *b = enter_place(place);
    struct mdm_loss j = *host;
    float *pred = lend(b, m->pred, m->predicted), *target = lend(b, m->target, m->values);
    float *dpred = host->dpred ? lend(b, m->dpred, m->predicted) : NULL, *before = draw_floats(m->predicted);

    if (dpred) {
        memcpy(before, m->dpred, (size_t)m->predicted * sizeof *before);
        j.dpred = dpred + (host->dpred - m->dpred);
    }
    j.pred = pred + (host->pred - m->pred);
    j.target = target + (host->target - m->target);
    do_loss(b, &j);
    if (dpred)
        fetch(b, m->dpred, dpred, m->predicted);
    leave_place(b);
    expect_hosts(host, m, before);
    free(before);
}

static void unpatchify_in(int place, const struct mdm_unpatchify *host, const float *pred, int64_t predicted,
                          float *image, int64_t values)
{
    struct mdm_backend *b = enter_place(place);
    struct mdm_unpatchify j = *host;
    float *at = lend(b, image, values);

    j.pred = lend(b, pred, predicted) + (host->pred - pred);
    j.image = at + (host->image - image);
    ck_assert_msg(b->v->unpatchify(b, &j) == MASKDM_OK, "%s", maskdm_last_error());
    fetch(b, image, at, values);
    leave_place(b);
}

/* ---- by hand ---- */

/* H 6, W 4, C 3, p 2: value (row, column, channel) of patch `patch` in image b */
static int64_t image_at(int b, int patch, int v)
{
    int row = patch / 2 * 2 + v / 6, column = patch % 2 * 2 + v % 6 / 3;

    return ((b * 6 + row) * 4 + column) * 3 + v % 3;
}

/* What one difference costs, and how fast that grows; of a whole image the squares alone. */
static double cost(enum mdm_loss_kind kind, double d, double delta, double *slope)
{
    const double a = fabs(d), sign = (d > 0) - (d < 0), root = sqrt(d * d + delta * delta);
    const double huber = a <= delta ? d * d / 2 : delta * (a - delta / 2), bound = a <= delta ? d : sign * delta;
    const double costs[MDM_LOSSES] = {d * d, a, huber, huber / delta, root - delta, d * d};
    const double slopes[MDM_LOSSES] = {2 * d, sign, bound, bound / delta, d / root, 2 * d};

    *slope = slopes[kind];
    return costs[kind];
}

/* Three patches of each image; nine values in a run, so that every lane and what is left behind them count. */
static void expect_loss(int place, enum mdm_loss_kind kind, float *pred, float *target)
{
    static const int32_t index[] = {5, 0, 3, 1, 4, 2};
    const double weight[] = {1, 2.5}, scale = 0.7, delta = 0.3;
    float dpred[72];
    double loss[2], plain[2];
    const struct images all = {pred, target, dpred, 72, 144};
    struct mdm_loss j = {.batch = 2,
                         .height = 6,
                         .width = 4,
                         .channels = 3,
                         .patch = 2,
                         .visible = 3,
                         .kind = kind,
                         .delta = delta,
                         .pred = pred,
                         .target = target,
                         .index = index,
                         .weight = weight,
                         .scale = scale,
                         .loss = loss,
                         .dpred = dpred};

    memset(dpred, POISON, sizeof dpred);
    loss_in(place, &j, &all);
    for (int m = 0; m < 2; m++) {
        const int whole = kind == MDM_LOSS_PSEUDO_HUBER_IMAGE;
        double sum = 0, slope[36], root;

        for (int v = 0; v < 36; v++)
            sum += cost(kind, (double)pred[m * 36 + v] - (double)target[image_at(m, index[m * 3 + v / 12], v % 12)],
                        delta, &slope[v]);
        root = sqrt(sum + delta * delta);
        for (int v = 0; v < 36; v++)
            ck_assert_double_eq_tol((double)dpred[m * 36 + v],
                                    weight[m] * scale * (whole ? slope[v] / (2 * root) : slope[v] / 36), 1e-7);
        ck_assert_double_eq_tol(loss[m], weight[m] * (whole ? root - delta : sum / 36), 1e-12);
    }
    j.dpred = NULL;
    j.loss = plain;
    loss_in(place, &j, &all);
    ck_assert_mem_eq(plain, loss, sizeof loss);
    pred[7] = NAN; /* in the loss and in the gradient, of its own image alone */
    j.loss = loss;
    j.dpred = dpred;
    loss_in(place, &j, &all);
    ck_assert(isnan(loss[0]) && isfinite(loss[1]) && isnan(dpred[7]) && isfinite(dpred[36]));
    ck_assert(isfinite(dpred[6]) || kind == MDM_LOSS_PSEUDO_HUBER_IMAGE);
    pred[7] = 0.25f;
}

/* An image's error as one, with a bound of each image's own; without one it is the norm, whose gradient ends at 0. */
static void expect_norms(int place, float *pred, float *target)
{
    static const int32_t index[] = {5, 0, 3, 1, 4, 2};
    const double weight[] = {1.5, 2}, deltas[] = {0, 0.4};
    float dpred[72];
    double loss[2];
    const struct images all = {pred, target, dpred, 72, 144};
    struct mdm_loss j = {.batch = 2,
                         .height = 6,
                         .width = 4,
                         .channels = 3,
                         .patch = 2,
                         .visible = 3,
                         .kind = MDM_LOSS_PSEUDO_HUBER_IMAGE,
                         .deltas = deltas,
                         .pred = pred,
                         .target = target,
                         .index = index,
                         .weight = weight,
                         .scale = 0.5,
                         .loss = loss,
                         .dpred = dpred};

    memset(dpred, POISON, sizeof dpred);
    loss_in(place, &j, &all);
    for (int m = 0; m < 2; m++) {
        double sum = 0, d[36];

        for (int v = 0; v < 36; v++) {
            d[v] = (double)pred[m * 36 + v] - (double)target[image_at(m, index[m * 3 + v / 12], v % 12)];
            sum += d[v] * d[v];
        }
        sum = sqrt(sum + deltas[m] * deltas[m]);
        ck_assert_double_eq_tol(loss[m], weight[m] * (sum - deltas[m]), 1e-12);
        for (int v = 0; v < 36; v++)
            ck_assert_double_eq_tol((double)dpred[m * 36 + v], 0.5 * weight[m] * d[v] / sum, 1e-7);
    }
    for (int v = 0; v < 36; v++)
        pred[v] = target[image_at(0, index[v / 12], v % 12)];
    loss_in(place, &j, &all);
    ck_assert(loss[0] == 0 && loss[1] > 0);
    for (int v = 0; v < 36; v++)
        ck_assert(dpred[v] == 0);
}

START_TEST(losses_and_their_gradients)
{
    float *pred = draw_floats(2 * 3 * 12), *target = draw_floats(2 * 72);

    for (int i = 0; i < place_count; i++)
        for (int kind = 0; kind < MDM_LOSSES; kind++)
            expect_loss(i, (enum mdm_loss_kind)kind, pred, target);
    for (int i = 0; i < place_count; i++) {
        pred[0] += 0.5f;
        expect_norms(i, pred, target);
    }
    free(pred);
    free(target);
}
END_TEST

/* The runs of every instruction set beside the portable ones, at each length and with zeros, bounds and NaN. */
START_TEST(runs_of_losses)
{
    enum { MOST = 37, BEHIND = 8 };
    float *pred = draw_floats(MOST), *target = draw_floats(MOST), a[MOST + BEHIND], b[MOST + BEHIND];

    target[3] = pred[3];
    target[5] = pred[5] - 0.25f;
    pred[9] = NAN;
    for (int at = 0; set_of(at); at++)
        for (int kind = 0; kind < MDM_LOSSES && set_of(at)->fill && set_of(at)->runs_here(); kind++)
            for (int n = 0; n <= MOST; n++) {
                struct mdm_cpu_table t = {.loss = NULL};
                double sums[2] = {1, 1};

                set_of(at)->fill(&t);
                for (int i = 0; i < MOST + BEHIND; i++)
                    a[i] = b[i] = 7;
                mdm_loss_runs_c[kind](&sums[0], a, pred, target, n, 0.25, 0.9);
                t.loss[kind](&sums[1], b, pred, target, n, 0.25, 0.9);
                ck_assert(fabs(sums[0] - sums[1]) <= 1e-14 * sums[0] || (isnan(sums[0]) && isnan(sums[1])));
                for (int i = 0; i < MOST + BEHIND; i++)
                    ck_assert_msg(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])), "%s, kind %d, value %d of %d",
                                  set_of(at)->name, kind, i, n);
            }
    free(pred);
    free(target);
}
END_TEST

/* Value v of patch k's (row, column, channel) order, where a patch has 5 channels of which 3 are the image's. */
static int among_five(int v)
{
    return v / 3 * 5 + v % 3;
}

/* The channels that an image has not count for nothing, and leave no trace in what goes back. */
START_TEST(further_channels_are_passed_over)
{
    static const int32_t index[] = {5, 0, 3, 1, 4, 2};
    float *pred = draw_floats(2 * 6 * 20), *target = draw_floats(2 * 72), dpred[2 * 60], plain[2 * 36];
    float dplain[2 * 36], image[2 * 72];
    const double weight[] = {1, 2.5};
    double loss[2], want[2];

    for (int i = 0; i < place_count; i++)
        for (int kind = 0; kind < MDM_LOSSES; kind++) {
            struct mdm_loss j = {.batch = 2, .height = 6, .width = 4, .channels = 3, .patch = 2, .visible = 3};
            const struct mdm_unpatchify back = {2, 6, 4, 3, 5, 2, pred, image, {0}};
            const struct images few = {plain, target, dplain, 72, 144}, all = {pred, target, dpred, 120, 144};

            for (int v = 0; v < 2 * 36; v++)
                plain[v] = pred[among_five(v)];
            j.weight = weight;
            j.kind = (enum mdm_loss_kind)kind;
            j.delta = 0.3;
            j.pred = plain;
            j.target = target;
            j.index = index;
            j.scale = 0.7;
            j.loss = want;
            j.dpred = dplain;
            memset(dplain, POISON, sizeof dplain);
            loss_in(i, &j, &few);
            j.outputs = 5;
            j.pred = pred;
            j.loss = loss;
            j.dpred = dpred;
            memset(dpred, POISON, sizeof dpred);
            loss_in(i, &j, &all);
            for (int m = 0; m < 2; m++)
                ck_assert_double_eq_tol(loss[m], want[m], 2e-14 * want[m]);
            for (int v = 0; v < 2 * 60; v++)
                ck_assert_float_eq(dpred[v], v % 5 < 3 ? dplain[v / 5 * 3 + v % 5] : 0);
            j.dpred = NULL;
            loss_in(i, &j, &all);
            unpatchify_in(i, &back, pred, 2 * 120, image, 2 * 72);
            for (int k = 0; k < 2 * 72; k++)
                ck_assert_float_eq(image[image_at(k / 72, k % 72 / 12, k % 12)], pred[among_five(k)]);
        }
    free(pred);
    free(target);
}
END_TEST

/* Images, height, width, channels, outputs, patch */
static const int64_t shapes[][6] = {{2, 6, 4, 3, 3, 2},   {1, 1, 1, 1, 1, 1},   {3, 16, 8, 4, 4, 4},
                                    {2, 32, 32, 3, 3, 4}, {1, 64, 64, 3, 3, 8}, {2, 9, 6, 1, 2, 3},
                                    {2, 8, 8, 1, 1, 8},   {1, 48, 80, 4, 5, 2}};

START_TEST(patches_go_back)
{
    for (int i = 0; i < place_count; i++)
        for (size_t k = 0; k < MDM_LENGTH(shapes); k++) {
            const int64_t *s = shapes[k], p = s[5], across = s[2] / p;
            const int64_t predicted = s[0] * s[1] * s[2] * s[4], values = s[0] * s[1] * s[2] * s[3];
            float *pred = draw_floats(predicted), *image = draw_floats(values);
            const struct mdm_unpatchify j = {s[0], s[1], s[2], s[3], s[4], p, pred, image, {0}};

            unpatchify_in(i, &j, pred, predicted, image, values);
            for (int64_t v = 0; v < values; v++) {
                const int64_t c = v % s[3], x = v / s[3] % s[2], y = v / s[3] / s[2] % s[1],
                              b = v / s[3] / s[2] / s[1];
                const int64_t patch = b * (s[1] / p) * across + y / p * across + x / p;

                ck_assert(image[v] == pred[((patch * p + y % p) * p + x % p) * s[4] + c]);
            }
            free(pred);
            free(image);
        }
}
END_TEST

/* Of all shapes and kinds what the host says, with half of the patches in any order. */
START_TEST(losses_are_the_hosts)
{
    for (int i = 0; i < place_count * MDM_LOSSES * 2; i++)
        for (size_t k = 0; k < MDM_LENGTH(shapes); k++) {
            const int64_t *s = shapes[k], patches = s[1] / s[5] * (s[2] / s[5]), shown = (patches + 1) / 2;
            struct images m = {.predicted = s[0] * shown * s[5] * s[5] * s[4], .values = s[0] * s[1] * s[2] * s[3]};
            int32_t *index = malloc((size_t)(s[0] * shown) * sizeof *index);
            const double weight[] = {1, 2.5, 0.3}, deltas[] = {0.1, 0, 0.7};
            double loss[3];
            struct mdm_loss j = {.batch = s[0], .height = s[1], .width = s[2], .channels = s[3]};

            ck_assert_ptr_nonnull(index);
            for (int64_t n = 0; n < s[0] * shown; n++)
                index[n] = (int32_t)((n % shown * 2 + n / shown) % patches);
            j.patch = s[5];
            j.visible = shown;
            j.outputs = s[4];
            j.pred = m.pred = draw_floats(m.predicted);
            j.target = m.target = draw_floats(m.values);
            m.dpred = draw_floats(m.predicted);
            j.dpred = i % 2 ? m.dpred : NULL;
            j.kind = (enum mdm_loss_kind)(i / 2 % MDM_LOSSES);
            j.delta = 0.3;
            j.deltas = j.kind == MDM_LOSS_PSEUDO_HUBER_IMAGE && k % 2 ? deltas : NULL;
            j.index = index;
            j.weight = weight;
            j.scale = 0.7;
            j.loss = loss;
            loss_in(i / 2 / MDM_LOSSES, &j, &m);
            free(m.pred);
            free(m.target);
            free(m.dpred);
            free(index);
        }
}
END_TEST

/* Two kinds of patches: of pixels with 3 channels the first is in 6 patches of 2 x 2, the others in 24 of 1 x 1,
 * which are called 6 to 29. Of an image 2 and 3 of them are visible; its prediction is 2 x 4 values and 3 x 2. */
enum { KINDS = 2, PIXELS = 24, PREDICTED = 2 * 4 + 3 * 2 };
static const int32_t of_kinds[] = {1, 5, 6, 17, 29, 0, 4, 8, 9, 21};
static const struct {
    int64_t channel, channels, patch, place, visible, pred, first;
} kinds[KINDS] = {{0, 1, 2, 0, 2, 0, 0}, {1, 2, 1, 2, 3, 8, 6}};

/* Value i of image b's patches of a kind, in the image. */
static int64_t kind_at(int kind, int b, int i, const int32_t *patches)
{
    const int64_t c = kinds[kind].channels, p = kinds[kind].patch, each = p * p * c, in = i % each;
    const int64_t patch = patches[b * 5 + kinds[kind].place + i / each] - kinds[kind].first;
    const int64_t row = patch / (4 / p) * p + in / c / p, column = patch % (4 / p) * p + in / c % p;

    return ((b * PIXELS + row * 4 + column) * 3) + kinds[kind].channel + in % c;
}

START_TEST(kinds_of_patches_stand_beside_one_another)
{
    float *pred = draw_floats(2 * PREDICTED), *target = draw_floats(2 * PIXELS * 3), dpred[2 * PREDICTED];
    const double weight[] = {1, 2.5};
    double loss[2];

    for (int i = 0; i < KINDS * place_count; i++) {
        const int k = i % KINDS, n = (int)(kinds[k].visible * kinds[k].patch * kinds[k].patch * kinds[k].channels);
        const struct images all = {pred, target, dpred, 2 * PREDICTED, 2 * PIXELS * 3};
        const struct mdm_loss j = {.batch = 2,
                                   .height = 6,
                                   .width = 4,
                                   .channels = kinds[k].channels,
                                   .patch = kinds[k].patch,
                                   .visible = kinds[k].visible,
                                   .pred = pred + kinds[k].pred,
                                   .target = target + kinds[k].channel,
                                   .index = of_kinds + kinds[k].place,
                                   .weight = weight,
                                   .scale = 0.7,
                                   .loss = loss,
                                   .dpred = dpred + kinds[k].pred,
                                   .beside = {3, PREDICTED, 5, kinds[k].first}};

        memset(dpred, 0, sizeof dpred);
        loss_in(i / KINDS, &j, &all);
        for (int m = 0; m < 2; m++) {
            double sum = 0;

            for (int v = 0; v < n; v++) {
                const int at = m * PREDICTED + (int)kinds[k].pred + v;
                const double error = (double)pred[at] - (double)target[kind_at(k, m, v, of_kinds)];

                sum += error * error;
                ck_assert_double_eq_tol((double)dpred[at], weight[m] * 0.7 * 2 * error / n, 1e-7);
                dpred[at] = 0;
            }
            ck_assert_double_eq_tol(loss[m], weight[m] * sum / n, 1e-12);
        }
        for (int v = 0; v < 2 * PREDICTED; v++) /* nothing is written for the others */
            ck_assert(dpred[v] == 0);
    }
    free(pred);
    free(target);
}
END_TEST

START_TEST(kinds_of_patches_go_back)
{
    enum { WHOLE = PIXELS * 3 };
    float *pred = draw_floats(2 * WHOLE), image[2 * WHOLE];

    for (int i = 0; i < place_count; i++) {
        memset(image, POISON, sizeof image);
        for (int k = 0; k < KINDS; k++) {
            const struct mdm_unpatchify j = {.batch = 2,
                                             .height = 6,
                                             .width = 4,
                                             .channels = kinds[k].channels,
                                             .outputs = kinds[k].channels,
                                             .patch = kinds[k].patch,
                                             .pred = pred + k * PIXELS,
                                             .image = image + kinds[k].channel,
                                             .beside = {.channels = 3, .pred = WHOLE}};

            unpatchify_in(i, &j, pred, 2 * WHOLE, image, 2 * WHOLE);
        }
        for (int k = 0; k < KINDS; k++)
            for (int m = 0; m < 2; m++)
                for (int v = 0; v < PIXELS * (int)kinds[k].channels; v++) {
                    int32_t shown[2 * 5]; /* as kind_at() has them: one patch alone */
                    const int each = (int)(kinds[k].patch * kinds[k].patch * kinds[k].channels);

                    for (int q = 0; q < 2 * 5; q++)
                        shown[q] = (int32_t)(kinds[k].first + v / each);
                    ck_assert(image[kind_at(k, m, v % each, shown)] == pred[m * WHOLE + k * PIXELS + v]);
                }
    }
    free(pred);
}
END_TEST

static void add_tests(TCase *c)
{
    tcase_add_test(c, losses_and_their_gradients);
    tcase_add_test(c, losses_are_the_hosts);
    tcase_add_test(c, runs_of_losses);
    tcase_add_test(c, further_channels_are_passed_over);
    tcase_add_test(c, patches_go_back);
    tcase_add_test(c, kinds_of_patches_stand_beside_one_another);
    tcase_add_test(c, kinds_of_patches_go_back);
}

int main(void)
{
    return run_places("jobs_loss", add_tests);
}
