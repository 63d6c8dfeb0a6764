/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sampling loop. Images go in groups of at most batch_size; each group runs all its steps before the next begins.
 */
#include "sample/sampler.h"

#include "sample/options.h"
#include "sample/pixels.h"
#include "util/alloc.h"
#include "util/checked.h"
#include "util/file.h"

#include <string.h>

/* One call of run or run_from, and the group that is under way. */
struct job {
    int64_t count, n;      /* images, values of one */
    const uint64_t *seeds; /* NULL: the sampler's own + i */
    const int32_t *labels; /* NULL: all null */
    const float *noise;    /* given noise, (S-1) x count x n; NULL: drawn */
    int64_t done, all;     /* steps of all groups together */
    double began;          /* seconds */
    int64_t first, batch;  /* the group */
};

static void destroy(void *object)
{
    maskdm_sampler *s = object;

    maskdm_sampling_drop_group(s);
    maskdm_weights_drop(&s->model);
    maskdm_control_drop(&s->control);
    maskdm_free(s);
}

static const struct maskdm_handle_kind kind = {"sampler", destroy};

int maskdm_sampling_create(maskdm_sampler **out, maskdm_model *model, enum maskdm_weights which,
                           const maskdm_options *options, maskdm_control *control)
{
    maskdm_options *o = NULL;
    maskdm_sampler *s;
    int status;

    *out = NULL;
    s = maskdm_need(1, sizeof *s, "a sampler");
    if (!s)
        return MASKDM_ENOMEM;
    maskdm_handle_init(&s->handle, &kind);
    maskdm_weights_hold(model);
    maskdm_control_hold(control);
    s->model = model;
    s->which = which;
    s->control = control;
    status = maskdm_optionset_extract(&o, options, &maskdm_sampler_kind);
    if (status < 0)
        goto out;
    s->batch_size = maskdm_optionset_int(o, "batch_size");
    s->seed = (uint64_t)maskdm_optionset_int(o, "seed");
    s->guidance = maskdm_optionset_float(o, "guidance");
    if (s->guidance != 1 && model->geometry.classes == 0)
        status = maskdm_fail(MASKDM_EINVAL, "%s %g needs a network with labels, and this one has no classes",
                             maskdm_optionset_said(o, "guidance"), s->guidance);
    if (status < 0)
        goto out;
    status = maskdm_solving_make(&s->how, o);
    if (status < 0)
        goto out;
    s->steps = s->how.solver->steps(model->scheduler, &s->how);
    status = s->steps < 0 ? (int)s->steps : MASKDM_OK;
out:
    maskdm_optionset_release(&o);
    if (status < 0)
        maskdm_sampling_drop(&s);
    *out = s;
    return status;
}

void maskdm_sampling_drop(maskdm_sampler **out)
{
    maskdm_sampler *s = *out;

    *out = NULL;
    if (s)
        maskdm_handle_drop(&s->handle);
}

static uint64_t seed_of(const maskdm_sampler *s, const struct job *j, int64_t i)
{
    return j->seeds ? j->seeds[j->first + i] : s->seed + (uint64_t)(j->first + i);
}

static void draw(const maskdm_sampler *s, const struct job *j, enum maskdm_purpose purpose, int64_t step, float *out)
{
    for (int64_t i = 0; i < j->batch; i++) {
        const struct maskdm_rng stream = maskdm_rng_make(seed_of(s, j, i), purpose, 0, (uint64_t)step);

        maskdm_rng_normal(out + i * j->n, (size_t)j->n, &stream, 0);
    }
}

/* Show what step i left, with no lock held. */
static int report(maskdm_sampler *s, struct job *j, int64_t i)
{
    struct maskdm_progress p = maskdm_progress_blank();
    const double seconds = maskdm_clock() - j->began;

    j->done++;
    if (s->preview && s->preview(s->preview_user, i + 1, s->steps, j->first, j->batch, s->x0))
        return maskdm_fail(MASKDM_ECANCELED, "the preview callback cancelled sampling");
    p.step = j->done;
    p.steps = j->all;
    p.images = j->first + (i + 1 == s->steps ? j->batch : 0);
    p.seconds_left = seconds / (double)j->done * (double)(j->all - j->done);
    if (seconds > 0)
        p.images_per_second = (double)p.images / seconds;
    maskdm_control_report(s->control, &p);
    return j->done < j->all ? maskdm_control_check(s->control, "sampling") : MASKDM_OK;
}

/* All steps of the group whose x_T stands in s->x. */
static int run_group(maskdm_sampler *s, struct job *j)
{
    for (int64_t i = 0; i < s->steps; i++) {
        struct maskdm_move move = {.at = maskdm_solving_stride(s->model->scheduler, &s->how, i),
                                   .batch = j->batch,
                                   .n = j->n,
                                   .x = s->x,
                                   .prediction = s->prediction,
                                   .noise = s->noise,
                                   .x0_before = s->x0_before,
                                   .x0 = s->x0};

        MASKDM_TRY(maskdm_sampling_predict(s, move.at.time, j->labels ? j->labels + j->first : NULL));
        if (j->noise)
            move.noise = i + 1 == s->steps ? NULL : j->noise + (i * j->count + j->first) * j->n;
        else
            draw(s, j, MASKDM_DRAW_SAMPLER, i, s->noise);
        MASKDM_TRY(maskdm_solving_step(s->model->scheduler, &s->how, &move));
        MASKDM_TRY(report(s, j, i));
        s->x0 = s->x0_before;
        s->x0_before = move.x0;
    }
    return MASKDM_OK;
}

int maskdm_sampling_check_labels(const maskdm_model *model, int64_t count, const int32_t *labels)
{
    for (int64_t i = 0; labels && i < count; i++)
        if (labels[i] < -1 || labels[i] >= model->geometry.classes)
            return maskdm_fail(MASKDM_EINVAL, "label %d of image %lld; the network has %lld classes", (int)labels[i],
                               (long long)i, (long long)model->geometry.classes);
    return MASKDM_OK;
}

/* Start a job of `count` images; their bytes as floats must be countable, S-1 times over where noise is given. */
static int begin(maskdm_sampler *s, struct job *j, int64_t count)
{
    const struct maskdm_geometry *g = &s->model->geometry;
    int64_t all;

    j->count = count;
    j->n = g->height * g->width * g->channels;
    if (count < 0 || maskdm_mul_i64(&all, count, j->n) ||
        maskdm_mul_i64(&all, all, s->steps * (int64_t)sizeof(float)))
        return maskdm_fail(MASKDM_EINVAL, "%lld images are out of range", (long long)count);
    j->all = (count / s->batch_size + (count % s->batch_size != 0)) * s->steps;
    j->began = maskdm_clock();
    MASKDM_TRY(maskdm_sampling_check_labels(s->model, count, j->labels));
    return maskdm_control_check(s->control, "sampling");
}

static int64_t group_size(const maskdm_sampler *s, const struct job *j)
{
    const int64_t left = j->count - j->first;

    return left < s->batch_size ? left : s->batch_size;
}

int maskdm_sampling_each(maskdm_sampler *s, int64_t count, const uint64_t *seeds, const int32_t *labels,
                         maskdm_sampling_take take, void *user)
{
    struct job j = {.seeds = seeds, .labels = labels};

    MASKDM_TRY(begin(s, &j, count));
    for (; j.first < count; j.first += j.batch) {
        j.batch = group_size(s, &j);
        MASKDM_TRY(maskdm_sampling_ready_group(s, j.batch));
        draw(s, &j, MASKDM_DRAW_SAMPLE, 0, s->x);
        MASKDM_TRY(run_group(s, &j));
        MASKDM_TRY(take(user, j.first, j.batch, s->x));
    }
    return MASKDM_OK;
}

struct lent {
    struct maskdm_pixels pixels;
    void *out;
};

static int take_lent(void *user, int64_t first, int64_t batch, const float *x)
{
    const struct lent *l = user;

    maskdm_pixels_write(&l->pixels, l->out, first, batch, x);
    return MASKDM_OK;
}

int maskdm_sampling_run(maskdm_sampler *s, int64_t count, const uint64_t *seeds, const int32_t *labels,
                        enum maskdm_sample sample, void *out, size_t row_stride, size_t image_stride)
{
    struct lent l = {.out = out};

    if (count < 0)
        return maskdm_fail(MASKDM_EINVAL, "%lld images are out of range", (long long)count);
    MASKDM_TRY(maskdm_pixels_layout(&l.pixels, &s->model->geometry, count, sample, row_stride, image_stride));
    return maskdm_sampling_each(s, count, seeds, labels, take_lent, &l);
}

int maskdm_sampling_run_from(maskdm_sampler *s, int64_t count, float *x, const float *noise, const int32_t *labels)
{
    struct job j = {.labels = labels, .noise = noise};

    MASKDM_TRY(begin(s, &j, count));
    if (!noise && maskdm_solving_is_noisy(s->model->scheduler, &s->how))
        return maskdm_fail(MASKDM_EINVAL, "%s with these options needs %lld x %lld x %lld values of noise, not NULL",
                           s->how.solver->name, (long long)(s->steps - 1), (long long)count, (long long)j.n);
    for (; j.first < count; j.first += j.batch) {
        j.batch = group_size(s, &j);
        MASKDM_TRY(maskdm_sampling_ready_group(s, j.batch));
        memcpy(s->x, x + j.first * j.n, (size_t)(j.batch * j.n) * sizeof *x);
        MASKDM_TRY(run_group(s, &j));
        memcpy(x + j.first * j.n, s->x, (size_t)(j.batch * j.n) * sizeof *x);
    }
    return MASKDM_OK;
}
