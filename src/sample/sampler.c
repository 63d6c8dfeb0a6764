/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sampling loop. Images go in groups of at most batch_size; each group runs all its steps before the next begins.
 */
#include "sample/sampler.h"

#include "base/alloc.h"
#include "base/checked.h"
#include "base/clock.h"
#include "os/file.h"
#include "sample/options.h"
#include "sample/pixels.h"

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

    mdm_sampler_drop_group(s);
    mdm_model_drop(&s->model);
    mdm_control_drop(&s->control);
    mdm_free(s);
}

static const struct mdm_handle_kind kind = {"sampler", destroy};

int mdm_sampler_create(maskdm_sampler **out, maskdm_model *model, enum maskdm_weights which,
                       const maskdm_options *options, maskdm_control *control)
{
    maskdm_options *o = NULL;
    maskdm_sampler *s;
    int status;

    *out = NULL;
    s = mdm_need(1, sizeof *s, "a sampler");
    if (!s)
        return MASKDM_ENOMEM;
    mdm_handle_init(&s->handle, &kind);
    mdm_model_hold(model);
    mdm_control_hold(control);
    s->model = model;
    s->which = which;
    s->control = control;
    status = mdm_options_extract(&o, options, &mdm_sampler_kind);
    if (status < 0)
        goto out;
    s->batch_size = mdm_options_int(o, "batch_size");
    s->seed = (uint64_t)mdm_options_int(o, "seed");
    s->guidance = mdm_options_float(o, "guidance");
    if (s->guidance != 1 && model->geometry.classes == 0)
        status = mdm_fail(MASKDM_EINVAL, "%s %g needs a network with labels, and this one has no classes",
                          mdm_options_said(o, "guidance"), s->guidance);
    if (status < 0)
        goto out;
    status = mdm_solver_make(&s->how, o);
    if (status < 0)
        goto out;
    s->steps = s->how.solver->steps(model->scheduler, &s->how);
    status = s->steps < 0 ? (int)s->steps : MASKDM_OK;
out:
    mdm_options_release(&o);
    if (status < 0)
        mdm_sampler_drop(&s);
    *out = s;
    return status;
}

void mdm_sampler_drop(maskdm_sampler **out)
{
    maskdm_sampler *s = *out;

    *out = NULL;
    if (s)
        mdm_handle_drop(&s->handle);
}

static uint64_t seed_of(const maskdm_sampler *s, const struct job *j, int64_t i)
{
    return j->seeds ? j->seeds[j->first + i] : s->seed + (uint64_t)(j->first + i);
}

static void draw(const maskdm_sampler *s, const struct job *j, enum mdm_purpose purpose, int64_t step, float *out)
{
    for (int64_t i = 0; i < j->batch; i++) {
        const struct mdm_rng stream = mdm_rng_make(seed_of(s, j, i), purpose, 0, (uint64_t)step);

        mdm_rng_normal(out + i * j->n, (size_t)j->n, &stream, 0);
    }
}

/* Show what step i left, with no lock held. */
static int report(maskdm_sampler *s, struct job *j, int64_t i)
{
    struct maskdm_progress p = mdm_progress_blank();
    const double seconds = mdm_clock() - j->began;

    j->done++;
    if (s->preview && s->preview(s->preview_user, i + 1, s->steps, j->first, j->batch, s->x0))
        return mdm_fail(MASKDM_ECANCELED, "the preview callback cancelled sampling");
    p.step = j->done;
    p.steps = j->all;
    p.images = j->first + (i + 1 == s->steps ? j->batch : 0);
    p.seconds_left = seconds / (double)j->done * (double)(j->all - j->done);
    if (seconds > 0)
        p.images_per_second = (double)p.images / seconds;
    if (!s->quiet)
        mdm_control_report(s->control, &p);
    return j->done < j->all ? mdm_control_check(s->control, "sampling") : MASKDM_OK;
}

/* All steps of the group whose x_T stands in s->x. */
static int run_group(maskdm_sampler *s, struct job *j)
{
    for (int64_t i = 0; i < s->steps; i++) {
        struct mdm_move move = {.at = mdm_solver_stride(s->model->scheduler, &s->how, i),
                                .batch = j->batch,
                                .n = j->n,
                                .x = s->x,
                                .prediction = s->prediction,
                                .noise = s->noise,
                                .x0_before = s->x0_before,
                                .x0 = s->x0};

        MDM_TRY(mdm_sampler_predict(s, move.at.time, j->labels ? j->labels + j->first : NULL));
        if (j->noise)
            move.noise = i + 1 == s->steps ? NULL : j->noise + (i * j->count + j->first) * j->n;
        else
            draw(s, j, MDM_DRAW_SAMPLER, i, s->noise);
        MDM_TRY(mdm_solver_step(s->model->scheduler, &s->how, &move));
        MDM_TRY(report(s, j, i));
        s->x0 = s->x0_before;
        s->x0_before = move.x0;
    }
    return MASKDM_OK;
}

int mdm_sampler_check_labels(const maskdm_model *model, int64_t count, const int32_t *labels)
{
    for (int64_t i = 0; labels && i < count; i++)
        if (labels[i] < -1 || labels[i] >= model->geometry.classes)
            return mdm_fail(MASKDM_EINVAL, "label %d of image %lld; the network has %lld classes", (int)labels[i],
                            (long long)i, (long long)model->geometry.classes);
    return MASKDM_OK;
}

/* Start a job of `count` images; their bytes as floats must be countable, S-1 times over where noise is given. */
static int begin(maskdm_sampler *s, struct job *j, int64_t count)
{
    const struct mdm_geometry *g = &s->model->geometry;
    int64_t all;

    j->count = count;
    j->n = g->height * g->width * g->channels;
    if (count < 0 || mdm_mul_i64(&all, count, j->n) || mdm_mul_i64(&all, all, s->steps * (int64_t)sizeof(float)))
        return mdm_fail(MASKDM_EINVAL, "%lld images are out of range", (long long)count);
    j->all = (count / s->batch_size + (count % s->batch_size != 0)) * s->steps;
    j->began = mdm_clock();
    MDM_TRY(mdm_sampler_check_labels(s->model, count, j->labels));
    return mdm_control_check(s->control, "sampling");
}

static int64_t group_size(const maskdm_sampler *s, const struct job *j)
{
    const int64_t left = j->count - j->first;

    return left < s->batch_size ? left : s->batch_size;
}

int mdm_sampler_each(maskdm_sampler *s, int64_t count, const uint64_t *seeds, const int32_t *labels,
                     mdm_sampler_take take, void *user)
{
    struct job j = {.seeds = seeds, .labels = labels};

    MDM_TRY(begin(s, &j, count));
    for (; j.first < count; j.first += j.batch) {
        j.batch = group_size(s, &j);
        MDM_TRY(mdm_sampler_ready_group(s, j.batch));
        draw(s, &j, MDM_DRAW_SAMPLE, 0, s->x);
        MDM_TRY(run_group(s, &j));
        MDM_TRY(take(user, j.first, j.batch, s->x));
    }
    return MASKDM_OK;
}

struct lent {
    struct mdm_pixels pixels;
    void *out;
};

static int take_lent(void *user, int64_t first, int64_t batch, const float *x)
{
    const struct lent *l = user;

    mdm_pixels_write(&l->pixels, l->out, first, batch, x);
    return MASKDM_OK;
}

int mdm_sampler_run(maskdm_sampler *s, int64_t count, const uint64_t *seeds, const int32_t *labels,
                    int sample_type, void *out, size_t row_stride, size_t image_stride)
{
    struct lent l = {.out = out};

    if (count < 0)
        return mdm_fail(MASKDM_EINVAL, "%lld images are out of range", (long long)count);
    MDM_TRY(mdm_pixels_layout(&l.pixels, &s->model->geometry, count, sample_type, row_stride, image_stride));
    return mdm_sampler_each(s, count, seeds, labels, take_lent, &l);
}

int mdm_sampler_run_from(maskdm_sampler *s, int64_t count, float *x, const float *noise, const int32_t *labels)
{
    struct job j = {.labels = labels, .noise = noise};

    MDM_TRY(begin(s, &j, count));
    if (!noise && mdm_solver_is_noisy(s->model->scheduler, &s->how))
        return mdm_fail(MASKDM_EINVAL, "%s with these options needs %lld x %lld x %lld values of noise, not NULL",
                        s->how.solver->name, (long long)(s->steps - 1), (long long)count, (long long)j.n);
    for (; j.first < count; j.first += j.batch) {
        j.batch = group_size(s, &j);
        MDM_TRY(mdm_sampler_ready_group(s, j.batch));
        memcpy(s->x, x + j.first * j.n, (size_t)(j.batch * j.n) * sizeof *x);
        MDM_TRY(run_group(s, &j));
        memcpy(x + j.first * j.n, s->x, (size_t)(j.batch * j.n) * sizeof *x);
    }
    return MASKDM_OK;
}
